// Containers whose files are traps for processes outside that read them: trees without a bottom, directories that
// become links, files that never end. Afterwards everything of theirs can be removed, and the daemon serves the others.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandLine, commandLines } from '../support/command-lines.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;
let ours: CommandLine;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  ours = commandLines(() => daemon)[0]!;
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-traps-'));
});
afterAll(async () => {
  await daemon.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** In a directory of a container: 5000 directories, one in the other. A path has 4096 bytes at most, so it grows at its foot. */
const DEEP = `p=$(printf 'd/%.0s' $(seq 1000)); mkdir -p n0/$p; touch n0/\${p}file
  for i in 1 2 3 4; do mkdir -p n$i/$p; mv n$((i - 1)) n$i/$p; done`;

const sh = (script: string): string[] => ['busybox', 'sh', '-c', script];

/** All that is left of containers and volumes. */
const leftOver = (): string[] =>
  ['containers', 'volumes'].flatMap(name => {
    const directory = join(daemon.dataRoot, name);
    return existsSync(directory) ? readdirSync(directory) : [];
  });

test('a tree that is deeper than any path does no harm, and is removed with its container and its volume', {
  tags: 'further',
  timeout: 120_000,
}, async () => {
  const volume = ['-v', 'deep:/data'];
  await ours.does([
    'run',
    '--name',
    'deep',
    '--net',
    'none',
    ...volume,
    ...sh(`cd /data; ${DEEP}; cd /; ${DEEP}`),
  ]);
  expect(await ours.does('diff deep')).toContain('A /n4/d/d\n');
  expect(await ours.does('ps -as')).toContain('deep');
  expect(await ours.does('system df')).toContain('Containers');
  for (const command of [
    ['commit', 'deep', 'deep'],
    ['export', '-o', join(scratch, 'deep.tar'), 'deep'],
  ]) {
    const { code, err } = await ours.cli(command);
    expect(code, command[0]).not.toBe(0);
    expect(err, command[0]).toMatch(/^[^\n]{1,300}\n$/);
  }
  await ours.does('rm deep');
  await ours.does('volume rm deep');
  await expect.poll(leftOver, { timeout: 10_000 }).toEqual([]);
  expect(await ours.does('ps -aq')).toBe('');
  // The containers' own mkdir looks each of 10,000 paths up from its beginning.
});

test('a tree that just has room in a path is packed', async () => {
  const longest = `mkdir -p $(printf 'd/%.0s' $(seq 1900))`;
  await ours.does(['run', '--name', 'long', '--net', 'none', ...sh(longest)]);
  await ours.does(['export', '-o', join(scratch, 'long.tar'), 'long']);
  await ours.does('commit long long');
  await ours.does('rm long');
  expect(readFileSync(join(scratch, 'long.tar')).includes('d/d/d/d/d/d/d/d/d')).toBe(true);
}, 60_000);

test('a user database that never ends, or is a device or a pipe, is no user database', async () => {
  for (const [name, trap] of [
    ['endless', 'ln -sf /proc/1/pagemap /etc/passwd'],
    ['zeros', 'ln -sf /dev/zero /etc/passwd'],
    ['pipe', 'rm /etc/passwd; mkfifo /etc/passwd'],
  ] as const) {
    await ours.does([
      'run',
      '-d',
      '--name',
      name,
      '--net',
      'none',
      ...sh(`${trap}; touch /ready; sleep 1000`),
    ]);
    await expect
      .poll(async () => (await ours.cli(['exec', '-u', '0', name, 'test', '-e', '/ready'])).code)
      .toBe(0);
    const { code, err } = await ours.cli(['exec', '-u', 'nobody', name, 'true']);
    expect(code, name).not.toBe(0);
    expect(err, name).toContain('unable to find user nobody');
    await ours.does(['rm', '-f', name]);
  }
});

test('names that would give orders to a terminal are written out', async () => {
  const evil = 'LABEL evil="\u001b]0;owned\u0007"';
  await ours.does(['run', '--name', 'named', '--net', 'none', ...sh('touch "/$(printf "\\033[2Jx")"')]);
  await ours.does(['commit', '-m', '\u001b[2Jcomment', '--change', evil, 'named', 'evil']);
  for (const command of ['diff named', 'history evil', 'image layers evil', 'images', 'ps -a --no-trunc']) {
    expect(await ours.does(command), command).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }
  expect(await ours.does('diff named')).toContain('A /\\x1b[2Jx\n');
  await ours.does('rm named');
});
