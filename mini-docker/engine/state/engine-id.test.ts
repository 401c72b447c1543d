import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { engineId } from './engine-id.ts';

let root: string;
const troubles: string[] = [];
const tell = (trouble: string) => void troubles.push(trouble);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mini-docker-id-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('an engine keeps its id, and has one of its own', () => {
  const other = join(root, 'other');
  mkdirSync(other);
  const id = engineId(root, tell);

  expect(engineId(root, tell)).toBe(id);
  expect(engineId(other, tell)).not.toBe(id);
});

test('an id that cannot be read is what its copy says', () => {
  const id = engineId(root, tell);
  for (const spoil of [
    () => writeFileSync(join(root, 'engine-id'), ''),
    () => {
      rmSync(join(root, 'engine-id'));
      mkdirSync(join(root, 'engine-id'));
    },
  ]) {
    spoil();
    expect(engineId(root, tell)).toBe(id);
    expect(troubles.pop()).toContain(join(root, 'engine-id'));
  }
});
