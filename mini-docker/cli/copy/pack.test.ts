// What `cp` sends, read by tar(1) and by our own unpacker.
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pack } from './pack.ts';
import { unpack } from './unpack.ts';

let directory: string;
let tree: string;
const LONG = 'x'.repeat(120);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cp-pack-'));
  tree = join(directory, 'tree');
  mkdirSync(join(tree, LONG), { recursive: true });
  writeFileSync(join(tree, LONG, 'ünïcode'), 'content', { mode: 0o640 });
  linkSync(join(tree, LONG, 'ünïcode'), join(tree, 'z-again'));
  symlinkSync('nowhere', join(tree, 'link'));
  writeFileSync(join(tree, 'sparse'), 'a');
  truncateSync(join(tree, 'sparse'), 1_000_001);
});
afterAll(() => rmSync(directory, { recursive: true }));

const archived = async (options: Parameters<typeof pack>[0]) =>
  Buffer.concat(await Array.fromAsync(pack(options)));

test('tar(1) reads the archive: long names, links of both kinds, modes', async () => {
  const input = await archived({ path: tree, name: 'top', follow: false });
  const { stdout, status } = spawnSync('tar', ['-tvf', '-', '--quoting-style=literal'], {
    input,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`-rw-r----- .* 7 .* top/${LONG}/ünïcode\n`));
  expect(stdout).toMatch(new RegExp(`h.* top/z-again link to top/${LONG}/ünïcode\n`));
  expect(stdout).toMatch(/l.* top\/link -> nowhere\n/);
});

test('what is packed comes back as it was', async () => {
  const into = join(directory, 'into');
  mkdirSync(into);
  await unpack(pack({ path: tree, name: undefined, follow: false }), {
    into,
    nameOf: name => name,
    owners: false,
  });
  expect(readFileSync(join(into, 'z-again'), 'utf8')).toBe('content');
  expect(statSync(join(into, 'z-again')).ino).toBe(statSync(join(into, LONG, 'ünïcode')).ino);
  expect(readlinkSync(join(into, 'link'))).toBe('nowhere');
  expect(readFileSync(join(into, 'sparse')).equals(readFileSync(join(tree, 'sparse')))).toBe(true);
  for (const each of ['', 'sparse', LONG]) {
    const [was, is] = [statSync(join(tree, each)), statSync(join(into, each))];
    if (each !== '') expect(Math.abs(is.mtimeMs - was.mtimeMs)).toBeLessThan(1);
    if (each !== '') expect(is.mode).toBe(was.mode);
  }
});

test('a link that is asked for by itself is followed only when that is wanted', async () => {
  symlinkSync('tree', join(directory, 'to-tree'));
  const names = async (follow: boolean) =>
    spawnSync('tar', ['-tf', '-'], {
      input: await archived({ path: join(directory, 'to-tree'), name: 'n', follow }),
      encoding: 'utf8',
    }).stdout.split('\n');
  expect(await names(false)).toEqual(['n', '']);
  expect(await names(true)).toContain('n/link');
  await expect(archived({ path: join(directory, 'none'), name: 'n', follow: false })).rejects.toThrow(
    'ENOENT',
  );
});
