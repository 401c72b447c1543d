import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree, removeTreeNow } from './remove-tree.ts';

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

/** A chain of directories whose path is longer than the kernel takes, made at its foot. */
function deepTree(inside: string, levels: number): void {
  const name = 'd'.repeat(200);
  let fd = openSync(inside, 'r');
  for (let level = 0; level < levels; level++) {
    mkdirSync(`/proc/self/fd/${fd}/${name}`);
    writeFileSync(`/proc/self/fd/${fd}/file`, 'x');
    const next = openSync(`/proc/self/fd/${fd}/${name}`, 'r');
    closeSync(fd);
    fd = next;
  }
  closeSync(fd);
}

const TREES: [string, (tree: string) => void][] = [
  ['deeper than a path is long', tree => deepTree(tree, 100)],
  ['whose path has just 4,080 bytes', tree => deepTree(tree, 20)],
  [
    'with names that are not UTF-8',
    tree => {
      const byName = (name: number[]) => Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(name)]);
      writeFileSync(byName([0xff, 0xfe]), 'x');
      mkdirSync(byName([0x61, 0x80]));
      writeFileSync(Buffer.concat([byName([0x61, 0x80]), Buffer.from('/f')]), 'x');
      symlinkSync('nowhere', byName([0xc3]));
    },
  ],
  [
    'with directories that no user may enter',
    tree => {
      mkdirSync(join(tree, 'closed/below'), { recursive: true });
      chmodSync(join(tree, 'closed'), 0);
    },
  ],
  [
    'with a large file',
    tree => {
      const fd = openSync(join(tree, 'large'), 'w');
      ftruncateSync(fd, 1 << 30);
      closeSync(fd);
    },
  ],
];

test.each(TREES)('a tree %s is gone', async (_, fill) => {
  for (const remove of [removeTree, removeTreeNow]) {
    const tree = join(root, 'tree');
    mkdirSync(tree);
    fill(tree);
    await remove(tree);
    expect(existsSync(tree)).toBe(false);
  }
});

test('a file and a link to a directory are removed, and what the link leads to is not', async () => {
  mkdirSync(join(root, 'kept/below'), { recursive: true });
  writeFileSync(join(root, 'file'), 'x');
  symlinkSync('kept', join(root, 'link'));
  removeTreeNow(join(root, 'file'));
  await removeTree(join(root, 'link'));
  removeTreeNow(join(root, 'no/such/parent'));
  expect(readdirSync(root)).toEqual(['kept']);
  expect(readdirSync(join(root, 'kept'))).toEqual(['below']);
});

test('others get their turn while a tree of many files is removed', async () => {
  const tree = join(root, 'tree');
  mkdirSync(tree);
  for (let number = 0; number < 1000; number++) writeFileSync(join(tree, `${number}`), '');
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  await removeTree(tree);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
});
