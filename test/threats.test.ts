// What THREATS.md says is there, is there.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const text = readFileSync(join(root, 'THREATS.md'), 'utf8');

test('every file that THREATS.md names exists', () => {
  const named = [...text.matchAll(/`((?:mini-docker|test)\/[\w./-]+)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(file => !existsSync(join(root, file)))).toEqual([]);
});

test('every test that THREATS.md names exists under that name', () => {
  const named = [...text.matchAll(/`((?:mini-docker|test)\/[\w./-]+)` "([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter(
    ([, file = '', name = '']) => !readFileSync(join(root, file), 'utf8').includes(name),
  );
  expect(missing.map(([whole]) => whole)).toEqual([]);
});

test('every step that THREATS.md names is a step of a start or of an exec', () => {
  const golden = join(root, 'mini-docker/runtime/golden');
  const steps = new Set(
    ['start-default.txt', 'start-terminal.txt', 'exec.txt']
      .flatMap(file => readFileSync(join(golden, file), 'utf8').split('\n'))
      .filter(line => /^\S/.test(line)),
  );
  // It is there only with --uidmap.
  steps.add('user namespace');
  const named = [...text.matchAll(/(?<!\*)\*([^*|]+)\*(?!\*)/g)].map(([, step = '']) => step);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(step => !steps.has(step))).toEqual([]);
});
