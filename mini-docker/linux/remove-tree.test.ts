import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mini-docker-tree-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a small tree and a large one are gone, and what links point to is not', async () => {
  mkdirSync(join(root, 'kept'));
  writeFileSync(join(root, 'kept/file'), 'x');
  for (const count of [3, 500]) {
    const tree = join(root, 'tree');
    mkdirSync(join(tree, 'deep/deeper'), { recursive: true });
    for (let number = 0; number < count; number++) writeFileSync(join(tree, 'deep', `${number}`), 'x');
    symlinkSync('../kept', join(tree, 'link'));
    await removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  }
  expect(readdirSync(join(root, 'kept'))).toEqual(['file']);
  await removeTree(join(root, 'never was'));
});
