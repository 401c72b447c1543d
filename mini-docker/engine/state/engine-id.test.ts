import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { engineId } from './engine-id.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mini-docker-id-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('an engine keeps its id, and has one of its own', () => {
  const other = join(root, 'other');
  mkdirSync(other);
  const id = engineId(root);

  expect(engineId(root)).toBe(id);
  expect(engineId(other)).not.toBe(id);
});

test('an id that cannot be read is not replaced', () => {
  mkdirSync(join(root, 'engine-id'));

  expect(() => engineId(root)).toThrow(/^cannot read .*engine-id: EISDIR/);
});

test('an empty file is no id: its writer was killed', () => {
  writeFileSync(join(root, 'engine-id'), '');

  expect(engineId(root)).toMatch(/^[0-9a-f-]{36}$/);
});
