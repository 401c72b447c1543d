// A user namespace for one container, looked at from outside: whose is what it writes, and what it may not touch.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespaceInode } from '../mini-docker/linux/proc/namespaces.ts';
import { readStatus } from '../mini-docker/linux/proc/status.ts';
import { type CommandLine, commandLines, type Ran } from './support/command-lines.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';

const MAP = ['--uidmap', '0:100000:65536', '--gidmap', '0:200000:65536'];

let daemon: TestDaemon;
let ours: CommandLine;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-userns-'));
  chmodSync(scratch, 0o755);
  daemon = await startDaemon();
  ours = commandLines(() => daemon)[0]!;
});
afterAll(async () => {
  await daemon?.stop();
  rmSync(scratch, { recursive: true });
});

const run = (...args: string[]): Promise<Ran> => ours.cli(['run', '--rm', '--net', 'none', ...MAP, ...args]);
const ownerOf = (path: string): string => {
  const { uid, gid } = statSync(path);
  return `${uid}:${gid}`;
};
const pidOf = async (name: string): Promise<number> =>
  Number(await ours.does(['inspect', '-f', '{{.State.Pid}}', name]));
/** What an archive says of its entries: 'owner name'. */
const ownersIn = (archive: string): string[] =>
  execFileSync('tar', ['--numeric-owner', '-tvf', archive], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
    .map(line => line.split(/\s+/))
    .map(words => `${words[1]} ${words.at(-1)}`);

test('root of the container is unprivileged outside: in /proc, in a volume, in a directory of the host', async () => {
  const shared = join(scratch, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const mounts = ['-v', `${shared}:/shared`, '-v', 'data:/data'];
  const script = 'echo x > /shared/file; echo x > /data/file; chown 7:8 /data/file; sleep 1000';
  await ours.does([
    'run',
    '-d',
    '--name',
    'owners',
    '--init',
    ...MAP,
    ...mounts,
    'busybox',
    'sh',
    '-c',
    script,
  ]);
  const pid = await pidOf('owners');
  expect(readStatus(pid)).toMatchObject({ uid: { real: 100_000 }, gid: { real: 200_000 } });
  expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '100000', '65536']);
  expect(namespaceInode(pid, 'user')).not.toBe(namespaceInode(daemon.pid, 'user'));
  const volume = join(daemon.dataRoot, 'volumes/data/_data');
  await expect.poll(() => ownerOf(join(volume, 'file'))).toBe('100007:200008');
  expect(ownerOf(volume)).toBe('100000:200000');
  expect(ownerOf(join(shared, 'file'))).toBe('100000:200000');
  expect(ownerOf(`/proc/${pid}/root/bin/busybox`)).toBe('100000:200000');
});

test("it cannot read files that only the host's root may read, though it has all capabilities", async () => {
  const secret = join(scratch, 'secret');
  writeFileSync(secret, 'secret', { mode: 0o600 });
  const tries = 'cat /secret; echo x > /secret; chown 0 /secret; mknod /disk b 254 0; hostname x; true';
  const { out, err } = await run('--cap-add', 'ALL', '-v', `${secret}:/secret`, 'busybox', 'sh', '-c', tries);
  expect(out).toBe('');
  expect(err).toMatch(/open '\/secret': Permission denied/);
  expect(err).toMatch(/create \/secret: Permission denied/);
  expect(err).toMatch(/chown: \/secret: (Operation not permitted|Value too large)/);
  expect(err).toMatch(/mknod: \/disk: Operation not permitted/);
  expect([readFileSync(secret, 'utf8'), ownerOf(secret)]).toEqual(['secret', '0:0']);
});

test('inside everything is as without: owners, streams, a terminal, /etc/hosts, ping', async () => {
  const script = `id -u; stat -c %u:%g /bin/busybox /etc/hosts; echo 1.2.3.4 x >> /etc/hosts; tail -1 /etc/hosts
    echo again > /dev/stdout; rm -r /root; mkdir /root; ls -A /root; ping -c 1 127.0.0.1 | grep -c 'bytes from'`;
  const { out, err, code } = await run('busybox', 'sh', '-c', script);
  expect({ out, err, code }).toEqual({
    out: '0\n0:0\n0:0\n1.2.3.4 x\nagain\n1\n',
    err: '',
    code: 0,
  });
  expect((await run('-t', '-u', '1000:1000', 'busybox', 'sh', '-c', 'tty; id -u')).out).toBe(
    '/dev/pts/0\r\n1000\r\n',
  );
});

describe('with a container that runs', () => {
  test('exec, as root and as another user, is in the same user namespace', async () => {
    const pid = await pidOf('owners');
    expect(await ours.does(['exec', 'owners', 'sh', '-c', 'readlink /proc/self/ns/user; id -u'])).toBe(
      `user:[${namespaceInode(pid, 'user')}]\n0\n`,
    );
    await ours.does(['exec', '-u', '1000', 'owners', 'sh', '-c', 'echo > /tmp/theirs; echo > /dev/stdout']);
    expect(ownerOf(`/proc/${pid}/root/tmp/theirs`)).toBe('101000:200000');
  });

  test("cp, diff, export and commit speak of the container's ids", async () => {
    await ours.does(['exec', 'owners', 'sh', '-c', 'echo mine > /file; chown 5:6 /file']);
    writeFileSync(join(scratch, 'given'), 'given');
    await ours.does(['cp', join(scratch, 'given'), 'owners:/given']);
    const pid = await pidOf('owners');
    expect(ownerOf(`/proc/${pid}/root/given`)).toBe('100000:200000');
    expect(await ours.does(['diff', 'owners'])).toContain('A /given\n');
    await ours.does(['export', '-o', join(scratch, 'whole.tar'), 'owners']);
    expect(ownersIn(join(scratch, 'whole.tar'))).toEqual(
      expect.arrayContaining(['5/6 file', '0/0 given', '1000/0 tmp/theirs', '0/0 usr/sbin/']),
    );
    await ours.does(['commit', 'owners', 'committed']);
    const listed = await ours.does(['run', '--rm', 'committed', 'stat', '-c', '%u:%g', '/file', '/given']);
    expect(listed).toBe('5:6\n0:0\n');
  });

  test('it is found by the next daemon, stopped, changed while it is, and started again', async () => {
    await daemon.end('SIGKILL');
    await daemon.begin();
    expect(await ours.does(['exec', 'owners', 'id', '-u'])).toBe('0\n');
    await ours.does(['stop', '-t', '1', 'owners']);
    await ours.does(['cp', join(scratch, 'given'), 'owners:/later']);
    await ours.does(['start', 'owners']);
    expect(await ours.does(['exec', 'owners', 'stat', '-c', '%u', '/later', '/file'])).toBe('0\n5\n');
    expect(await ours.does(['inspect', '--security', 'owners'])).toMatch(
      /0 to 65535 inside are 100000 to 165535 outside/,
    );
    await ours.does(['rm', '-f', 'owners']);
  });
});

test('impossible maps are refused, and nothing is left', async () => {
  const { code, err } = await run('--name', 'never', '--privileged', 'busybox', 'true');
  expect({ code, err }).toEqual({ code: 125, err: expect.stringContaining('together with --privileged') });
  const nobody = await run('--name', 'never', '-u', '70000', 'busybox', 'true');
  expect(nobody.err).toContain('user 70000:0 has no id on the host');
  expect(await ours.does('ps -aq')).toBe('');
});
