import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { O } from './constants.ts';
import { openPlainFile, readTextInRoot } from './plain-file.ts';

let outside: string;
let root: string;
let rootFd: number;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'plain-file-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/name'), 'inside');
  rootFd = openSync(root, O.RDONLY | O.DIRECTORY);
});

afterEach(() => {
  closeSync(rootFd);
  rmSync(outside, { recursive: true });
});

test('a text is read of a file in the root, and of nothing else', () => {
  symlinkSync('/etc/name', join(root, 'link'));
  symlinkSync(join(outside, 'etc/name'), join(root, 'escape'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  writeFileSync(join(root, 'huge'), Buffer.alloc(5 * 1024 * 1024));
  const texts = ['/etc/name', 'link', 'escape', 'fifo', 'huge', 'missing'].map(path =>
    readTextInRoot(rootFd, path),
  );
  expect(texts).toEqual(['inside', 'inside', '', '', '', '']);
});

test('a file of /proc that is 0 bytes long and has no end is not read to it', () => {
  const slash = openSync('/', O.RDONLY | O.DIRECTORY);
  const before = process.memoryUsage().rss;
  try {
    expect(readTextInRoot(slash, '/proc/1/pagemap')).toBe('');
    expect(readTextInRoot(slash, '/proc/kmsg')).toBe('');
    expect(readTextInRoot(slash, '/proc/version')).toMatch(/^Linux/);
  } finally {
    closeSync(slash);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});

test('what is no ordinary file is not opened at all', async () => {
  execFileSync('mkfifo', [join(root, 'fifo')]);
  const writer = spawn('sh', ['-c', 'echo opened > "$0"', join(root, 'fifo')]);
  const isWaiting = () => readFileSync(`/proc/${writer.pid}/stat`, 'latin1').includes(') S ');
  await expect.poll(isWaiting).toBe(true);
  expect(openPlainFile(rootFd, 'fifo')).toBeUndefined();
  expect(readTextInRoot(rootFd, 'fifo')).toBe('');
  expect(openPlainFile(rootFd, 'etc')).toBeUndefined();
  expect(openPlainFile(rootFd, 'missing')).toBeUndefined();
  symlinkSync('etc/name', join(root, 'link'));
  expect(openPlainFile(rootFd, 'link')).toBeUndefined();
  // Whoever had opened it for reading would have let the writer go on.
  expect(isWaiting()).toBe(true);
  writer.kill();
});
