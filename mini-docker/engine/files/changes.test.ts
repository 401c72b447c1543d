import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesystemChanges } from './changes.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-changes-'));
  for (const name of ['one', 'two', 'upper', 'work', 'merged']) mkdirSync(join(directory, name));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Fills the layers, then changes them through a real overlay, in a mount namespace that ends with the script. */
async function changesOf(script: string, mountPoints: string[] = []) {
  const whole = `set -e; cd ${directory}
    mkdir -p one/etc one/var/lib two/etc two/var/cache; touch one/etc/a one/etc/b two/etc/c two/var/lib-file one/var/lib/x
    mount -t overlay overlay -o lowerdir=two:one,upperdir=upper,workdir=work merged
    cd merged; ${script}`;
  execFileSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', whole]);
  const changes = await filesystemChanges({
    upperdir: join(directory, 'upper'),
    lowerdirs: [join(directory, 'two'), join(directory, 'one')],
    mountPoints: new Set(mountPoints),
  });
  return changes.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`);
}

test('nothing done is nothing changed', async () => {
  expect(await changesOf('true')).toEqual([]);
});

test('what is added, changed and deleted is told, with the directories it is in', async () => {
  expect(
    await changesOf('touch new; echo x > etc/a; rm etc/c; mkdir -p opt/deep; chmod 700 var/cache'),
  ).toEqual(
    ['A /new', 'A /opt', 'A /opt/deep', 'C /etc', 'C /etc/a', 'D /etc/c', 'C /var', 'C /var/cache'].sort(
      (a, b) => (a.slice(2) < b.slice(2) ? -1 : 1),
    ),
  );
});

test('a directory that was removed and made anew hides what was in it', async () => {
  expect(await changesOf('rm -r var/lib; mkdir var/lib; touch var/lib/x')).toEqual([
    'C /var',
    'C /var/lib',
    'A /var/lib/x',
  ]);
});

test('what was added and removed again is not told', async () => {
  expect(await changesOf('touch etc/tmp; rm etc/tmp; touch -r ../two/etc etc')).toEqual([]);
});

test('the mount points that a start makes are not told', async () => {
  const made = ['/proc', '/etc/hosts', '/run/x/y'];
  expect(await changesOf('mkdir -p proc run/x; touch etc/hosts run/x/y', made)).toEqual([]);
  expect(await changesOf('touch etc/mine', made)).toEqual(['C /etc', 'A /etc/mine']);
});

test('a directory that is exchanged for a link again and again does not lead the daemon out', async () => {
  const upper = join(directory, 'upper');
  mkdirSync(join(directory, 'outside'));
  writeFileSync(join(directory, 'outside/marker'), '');
  mkdirSync(join(upper, 'swap'));
  symlinkSync('../outside', join(upper, 'link'));
  const stop = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { renameSync } = require('node:fs');
     const { upper, stop } = require('node:worker_threads').workerData;
     while (Atomics.load(stop, 0) === 0) {
       renameSync(upper + '/swap', upper + '/aside');
       renameSync(upper + '/link', upper + '/swap');
       renameSync(upper + '/swap', upper + '/link');
       renameSync(upper + '/aside', upper + '/swap');
       Atomics.add(stop, 1, 1);
     }`,
    { eval: true, workerData: { upper, stop } },
  );
  const ended = new Promise(resolve => worker.once('exit', resolve));
  const lowerdirs = [join(directory, 'one')];
  const seen = new Set<string>();
  for (let round = 0; round < 3000 || Atomics.load(stop, 1) < 1000; round++) {
    const changes = await filesystemChanges({ upperdir: upper, lowerdirs, mountPoints: new Set() });
    for (const { Path } of changes) seen.add(Path);
  }
  Atomics.store(stop, 0, 1);
  await ended;
  expect([...seen].filter(path => path.includes('marker'))).toEqual([]);
  expect(seen.has('/swap')).toBe(true);
});
