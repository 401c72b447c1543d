import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { O } from '../linux/constants.ts';
import { locate, matchingPaths } from './sources.ts';

let directory: string;
let root: number;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-sources-'));
  for (const path of ['a/b', 'a/c', 'x[1]']) mkdirSync(join(directory, path), { recursive: true });
  for (const path of ['one.txt', 'two.txt', '.hidden', 'a/b/f.txt', 'a/c/f.txt', 'x[1]/f']) {
    writeFileSync(join(directory, path), path);
  }
  const links = {
    up: '../../../../etc',
    absolute: '/a/b',
    loop: 'loop',
    through: 'a/b/../../one.txt',
    dangling: 'no',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(directory, name));
  root = openSync(directory, O.RDONLY | O.DIRECTORY);
});
afterAll(() => {
  closeSync(root);
  rmSync(directory, { recursive: true });
});

test.each([
  ['one.txt', ['one.txt']],
  ['/one.txt', ['one.txt']],
  ['./a/../one.txt', ['one.txt']],
  ['.', ['.']],
  ['/', ['.']],
  ['*.txt', ['one.txt', 'two.txt']],
  ['?ne.*', ['one.txt']],
  ['[!o]*.txt', ['one.txt']],
  ['[^o]*.txt', ['two.txt']],
  ['a/*/f.txt', ['a/b/f.txt', 'a/c/f.txt']],
  ['.h*', ['.hidden']],
  ['x\\[1\\]/f', ['x[1]/f']],
  ['none*', []],
  ['d*', []],
])('%s stands for %j', (source, paths) => {
  expect(matchingPaths(root, source)).toEqual(paths);
});

test('a source above the context is refused', () => {
  for (const source of ['..', '../x', 'a/../../x', '*/../../x']) {
    expect(() => matchingPaths(root, source)).toThrow('forbidden path outside the build context');
  }
});

const found = (path: string) => {
  using located = locate(root, path);
  return located && { name: located.name, size: located.status.size };
};

test('links are followed inside of the tree only', () => {
  expect(found('through')).toEqual({ name: 'one.txt', size: 7 });
  expect(found('absolute/f.txt')).toMatchObject({ name: 'f.txt' });
  expect(found('absolute')).toMatchObject({ name: 'b' });
  expect(found('up/passwd')).toBe(undefined);
  expect(found('loop')).toBe(undefined);
  expect(found('dangling')).toBe(undefined);
  expect(found('one.txt/x')).toBe(undefined);
});
