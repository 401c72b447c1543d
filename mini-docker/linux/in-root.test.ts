import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call } from './call.ts';
import { O } from './constants.ts';
import { isWhiteout, namesIn, statusAt } from './directory.ts';
import {
  makeDirectoriesInRoot,
  openBeneath,
  openInRoot,
  readLink,
  resolveInRoot,
  setTimes,
  withFd,
} from './in-root.ts';
import { withLock } from './lock.ts';
import { removeTreeAt } from './remove-tree.ts';
import { close, mknodat } from './syscalls.ts';

let outside: string;
let root: string;
let rootFd: number;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'in-root-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/name'), 'inside');
  mkdirSync(join(outside, 'etc'));
  writeFileSync(join(outside, 'etc/name'), 'outside');
  rootFd = openSync(root, O.RDONLY | O.DIRECTORY);
});

afterEach(() => {
  closeSync(rootFd);
  rmSync(outside, { recursive: true, force: true });
});

const contentOf = (path: string): string =>
  withFd(openInRoot(rootFd, path, O.RDONLY), fd => readFileSync(fd, 'utf8'));

test.each(['etc/name', '/etc/name', '../etc/name', '../../../../etc/name', 'etc/../etc/./name'])(
  '%s is the file inside',
  path => expect(contentOf(path)).toBe('inside'),
);

test.each([
  ['an absolute link', '/etc'],
  ['a link with dots', '../../../etc'],
  ['a link through itself', 'b/../etc'],
])('%s stays inside', (_, target) => {
  mkdirSync(join(root, 'b'));
  symlinkSync(target, join(root, 'link'));
  expect(contentOf('link/name')).toBe('inside');
});

test('a magic link of /proc is refused', () => {
  const procFd = openSync('/proc', O.RDONLY | O.DIRECTORY);
  expect(() => openInRoot(procFd, `${process.pid}/root/etc`, O.PATH)).toThrow(/ELOOP/);
  closeSync(procFd);
});

test('beneath refuses links and ways out', () => {
  symlinkSync('etc', join(root, 'link'));
  expect(() => openBeneath(rootFd, 'link/name', O.RDONLY)).toThrow(/ELOOP/);
  expect(() => openBeneath(rootFd, '../etc/name', O.RDONLY)).toThrow(/EXDEV/);
  withFd(openBeneath(rootFd, 'etc/name', O.RDONLY), fd => expect(readFileSync(fd, 'utf8')).toBe('inside'));
});

test('a directory that is swapped for a link to the outside all the time never leads there', async () => {
  mkdirSync(join(root, 'swap'));
  writeFileSync(join(root, 'swap/name'), 'inside');
  symlinkSync('../../etc', join(root, 'link'));
  const stop = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { renameSync } = require('node:fs');
     const { root, stop } = require('node:worker_threads').workerData;
     while (Atomics.load(stop, 0) === 0) {
       renameSync(root + '/swap', root + '/aside');
       renameSync(root + '/link', root + '/swap');
       renameSync(root + '/swap', root + '/link');
       renameSync(root + '/aside', root + '/swap');
       Atomics.add(stop, 1, 1);
     }`,
    { eval: true, workerData: { root, stop } },
  );
  const seen = new Map<string, number>();
  const end = Date.now() + 20_000;
  while ((seen.get('inside') ?? 0) < 3000 || Atomics.load(stop, 1) < 3000) {
    if (Date.now() > end) break;
    let found: string;
    try {
      found = contentOf('swap/name');
    } catch (error) {
      found = (error as { code: string }).code;
    }
    seen.set(found, (seen.get(found) ?? 0) + 1);
  }
  Atomics.store(stop, 0, 1);
  await new Promise(resolve => worker.once('exit', resolve));
  expect(Atomics.load(stop, 1)).toBeGreaterThan(1000);
  expect(seen.get('inside')).toBeGreaterThan(100);
  expect(seen.has('outside')).toBe(false);
}, 60_000);

test('times are set to the nanosecond, also before 1970', () => {
  for (const time of [1_700_000_000_123_456_789n, -1n]) {
    setTimes(rootFd, 'etc/name', time);
    expect(statusAt(rootFd, 'etc/name')!.mtime).toBe(time);
  }
});

test('a directory of many names is read whole', () => {
  const many = join(root, 'many');
  mkdirSync(many);
  for (let i = 0; i < 3000; i++) writeFileSync(join(many, `file-with-a-long-name-${i}`), '');
  const names = withFd(openInRoot(rootFd, 'many', O.RDONLY | O.DIRECTORY), namesIn);
  expect(new Set(names.map(String)).size).toBe(3000);
});

test('removing a tree does not follow the links in it', () => {
  mkdirSync(join(root, 'tree/deep'), { recursive: true });
  symlinkSync(join(outside, 'etc'), join(root, 'tree/deep/link'));
  removeTreeAt(rootFd, 'tree');
  expect(statusAt(rootFd, 'tree')).toBeUndefined();
  expect(readFileSync(join(outside, 'etc/name'), 'utf8')).toBe('outside');
  removeTreeAt(rootFd, 'tree');
});

test('a link tells where it leads, and a whiteout is known', () => {
  symlinkSync('/somewhere/else', join(root, 'link'));
  expect(readLink(rootFd, 'link').toString()).toBe('/somewhere/else');
  call(mknodat(rootFd, 'gone', 0o20000, 0));
  expect(isWhiteout(statusAt(rootFd, 'gone')!)).toBe(true);
  expect(isWhiteout(statusAt(rootFd, 'etc')!)).toBe(false);
});

test('of twenty attempts to take a lock at once only one succeeds', async () => {
  const path = join(outside, 'lock');
  let inside = 0;
  const most = await Promise.all(
    Array.from({ length: 20 }, () =>
      withLock(path, () => {
        inside++;
        const now = inside;
        inside--;
        return now;
      }),
    ),
  );
  expect(Math.max(...most)).toBe(1);
});

test('a lock held by another process is waited for', async () => {
  const { spawn } = await import('node:child_process');
  const path = join(outside, 'lock');
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; sleep 0.5'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise(resolve => holder.stdout.once('data', resolve));
  const before = performance.now();
  await withLock(path, () => {});
  expect(performance.now() - before).toBeGreaterThan(300);
});

test.each([
  ['/etc/name', '/etc/name'],
  ['missing/below/../x', '/missing/x'],
  ['../../..', '/'],
  ['dangling', '/srv/nowhere'],
  ['dangling/below', '/srv/nowhere/below'],
  ['relative/x', '/gone/x'],
  ['out/x', '/outside/x'],
  ['chain', '/srv/nowhere'],
  ['through/name', '/etc/name'],
])('a path that is missing is resolved as if it were there: %s is %s', (path, resolved) => {
  symlinkSync('/srv/nowhere', join(root, 'dangling'));
  symlinkSync('etc/../gone', join(root, 'relative'));
  symlinkSync('../../../outside', join(root, 'out'));
  symlinkSync('dangling/.', join(root, 'chain'));
  symlinkSync('/etc', join(root, 'through'));
  expect(resolveInRoot(rootFd, path).toString()).toBe(resolved);
});

test('bytes that are not UTF-8 stay what they are', () => {
  symlinkSync(Buffer.from('/srv/\xff', 'latin1'), join(root, 'bytes'));
  expect(resolveInRoot(rootFd, 'bytes/x').toString('latin1')).toBe('/srv/\xff/x');
});

test('links in a circle, and links that multiply, are refused at once', () => {
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  symlinkSync(`${'m/'.repeat(2000)}m`, join(root, 'm'));
  const before = performance.now();
  for (const path of ['a', 'm/x']) expect(() => resolveInRoot(rootFd, path)).toThrow(/ELOOP/);
  expect(performance.now() - before).toBeLessThan(2000);
});

test('directories are made where a dangling link leads, inside', () => {
  symlinkSync('/srv/nowhere', join(root, 'dangling'));
  symlinkSync(join(outside, 'etc/made'), join(root, 'out'));
  const made: number[] = [];
  call(close(makeDirectoriesInRoot(rootFd, '/dangling/below', fd => void made.push(fd))));
  call(close(makeDirectoriesInRoot(rootFd, '/out')));
  expect(made).toHaveLength(3);
  expect(readdirSync(join(root, 'srv/nowhere'))).toEqual(['below']);
  expect(readdirSync(join(root, outside, 'etc'))).toEqual(['made']);
  expect(readdirSync(join(outside, 'etc'))).toEqual(['name']);
  expect(() => makeDirectoriesInRoot(rootFd, 'etc/name/below')).toThrow(/ENOTDIR/);
});
