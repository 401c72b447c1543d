// Debian's lxcfs, in the daemon's mount namespace.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../mini-docker/images/testing/archives.ts';
import { commandLines } from './support/command-lines.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { eventually } from './support/engine-client.ts';

const LIMITED = 'run --rm --memory 64m --cpus 1';

let daemon: TestDaemon;
let lxcfs: ChildProcess | undefined;
const ours = commandLines(() => daemon)[0]!;
const inside = () => ['-t', String(daemon.namespaces), '-m'];

describe.skipIf(!isInstalled('lxcfs'))('lxcfs', () => {
  beforeAll(async () => {
    daemon = await startDaemon();
    // The machine's own lxcfs, if there is one, must not answer.
    const hide = 'mkdir -p /var/lib/lxcfs; while umount -l /var/lib/lxcfs 2>/dev/null; do :; done';
    execFileSync('nsenter', [
      ...inside(),
      'sh',
      '-c',
      `${hide}; mount -t tmpfs tmpfs /var/lib; mkdir /var/lib/lxcfs`,
    ]);
  });
  afterAll(async () => {
    if (lxcfs !== undefined) {
      const ended = new Promise(resolve => lxcfs!.once('exit', resolve));
      lxcfs.kill('SIGTERM');
      await ended;
    }
    await daemon.stop();
  });

  test('where it does not run, the flag is an error that says what to install', async () => {
    const { code, err } = await ours.cli('run --lxcfs busybox true');
    expect(code).toBe(125);
    expect(err).toContain('lxcfs was asked for, and does not run: install it (apt-get install lxcfs)');
    expect(await ours.does('ps -aq')).toBe('');
  });

  // Without --enable-cfs it looks at --cpuset-cpus only.
  test("a container sees its own memory and processors, and without the flag the host's", async () => {
    lxcfs = spawn(
      'nsenter',
      [...inside(), 'lxcfs', '-f', '--enable-cfs', '-p', '/var/lib/lxcfs.pid', '/var/lib/lxcfs'],
      {
        stdio: 'ignore',
      },
    );
    const mounted = async () =>
      execFileSync('nsenter', [...inside(), 'cat', '/proc/mounts'], { encoding: 'utf8' });
    await eventually(mounted, text => text.includes('fuse.lxcfs'));

    const look =
      'head -n 1 /proc/meminfo; grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online';
    const looking = (flags: string) => ours.does([...`${LIMITED} ${flags}busybox sh -c`.split(' '), look]);
    expect((await looking('--lxcfs ')).replace(/ +/g, ' ')).toBe('MemTotal: 65536 kB\n1\n0\n');
    expect(await looking('')).not.toContain(' 65536 kB');
  });

  test('its files are read-only, and nothing else of it can be reached', async () => {
    const mounts = await ours.does(`${LIMITED} --lxcfs busybox cat /proc/self/mountinfo`);
    const lines = mounts.split('\n').filter(line => line.includes('lxcfs'));
    expect(lines.map(line => line.split(' ')[4]).sort()).toEqual([
      '/proc/cpuinfo',
      '/proc/diskstats',
      '/proc/loadavg',
      '/proc/meminfo',
      '/proc/stat',
      '/proc/swaps',
      '/proc/uptime',
      '/sys/devices/system/cpu/online',
    ]);
    for (const line of lines) expect(line.split(' ')[5]).toContain('ro,nosuid,nodev,noexec');
  });

  test('volumes still have no place in /proc', async () => {
    const { code, err } = await ours.cli('run --rm -v /etc/hostname:/proc/version busybox true');
    expect(code).not.toBe(0);
    expect(err).toMatch(/it cannot be mounted because it is inside \/proc/);
  });
});
