// Limits of containers, from the command line to the kernel: run on this machine, and by v2.long.test.ts under cgroup v2.

import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon?.stop());

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function miniDocker(...args: string[]): Promise<Ended> {
  const env = { ...process.env, DOCKER_HOST: daemon.host };
  return new Promise(done => {
    execFile(NODE, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** `mini-docker run --rm` of a shell script, without a network. */
function run(options: string[], script: string): Promise<Ended> {
  return miniDocker('run', '--rm', '--net', 'none', ...options, 'busybox', 'sh', '-c', script);
}

async function inspect(container: string, format: string): Promise<string> {
  return (await miniDocker('inspect', '-f', format, container)).stdout.trim();
}

/** What happened to it until now. */
async function eventsOf(container: string): Promise<string[]> {
  const now = Math.floor(Date.now() / 1000);
  const range = ['--since', String(now - 60), '--until', String(now + 1)];
  const filter = ['--filter', `container=${container}`, '--format', '{{.Action}}'];
  return (await miniDocker('events', ...range, ...filter)).stdout.trimEnd().split('\n');
}

test('a program that takes more memory than it may ends with 137, and the container says why', async () => {
  const limit = ['-m', '32m', '--memory-swap', '32m'];
  const bomb = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=128M', 'count=1'];
  const { code } = await miniDocker('run', '--name', 'bomb', '--net', 'none', ...limit, 'busybox', ...bomb);
  expect(code).toBe(137);
  expect(await inspect('bomb', '{{.State.OOMKilled}} {{.State.ExitCode}}')).toBe('true 137');
  expect(await eventsOf('bomb')).toContain('oom');
  await miniDocker('rm', 'bomb');
});

test('a container can fork no more processes than its limit', async () => {
  const { stderr } = await run(['--pids-limit', '5'], 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait');
  expect(stderr).toContain("can't fork");
});

test('a paused container makes no step, and goes on when it is unpaused', async () => {
  const loop = ['busybox', 'sh', '-c', 'while :; do :; done'];
  await miniDocker('run', '-d', '--name', 'paused', '--net', 'none', ...loop);
  const pid = await inspect('paused', '{{.State.Pid}}');
  const ticks = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[11];
  expect((await miniDocker('pause', 'paused')).code).toBe(0);
  expect(await inspect('paused', '{{.State.Status}}')).toBe('paused');
  const frozen = ticks();
  await sleep(300);
  expect(ticks()).toBe(frozen);
  expect((await miniDocker('unpause', 'paused')).code).toBe(0);
  await expect.poll(ticks, { timeout: 5000 }).not.toBe(frozen);
  await miniDocker('pause', 'paused');
  expect((await miniDocker('rm', '-f', 'paused')).code).toBe(0);
});

test('a container runs on the cpus of its set, which update changes', async () => {
  await miniDocker(
    'run',
    '-d',
    '--name',
    'cpus',
    '--net',
    'none',
    '--cpuset-cpus',
    '0',
    'busybox',
    'sleep',
    '99',
  );
  const pid = await inspect('cpus', '{{.State.Pid}}');
  const cpus = () => /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  expect(cpus()).toBe('0');
  const last = String(availableParallelism() - 1);
  expect((await miniDocker('update', '--cpuset-cpus', last, 'cpus')).code).toBe(0);
  expect(cpus()).toBe(last);
  await miniDocker('rm', '-f', 'cpus');
});

test('update gives cpus of its own to a container that had all, also by a later daemon', async () => {
  for (const name of ['later', 'other'])
    await miniDocker('run', '-d', '--name', name, '--net', 'none', 'busybox', 'sleep', '99');
  await daemon.end('SIGKILL');
  await daemon.begin();
  expect((await miniDocker('update', '--cpuset-cpus', '0', 'later')).code).toBe(0);
  const cpus = (name: string) =>
    miniDocker('exec', name, 'grep', 'Cpus_allowed_list', '/proc/1/status', '/proc/self/status');
  const all = /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  for (const [name, those] of [
    ['later', '0'],
    ['other', all],
  ] as const)
    expect((await cpus(name)).stdout.match(/\S+$/gm)).toEqual([those, those]);
  await miniDocker('rm', '-f', 'later', 'other');
});

test('a container sees no control group of another', async () => {
  const nest = 'mkdir /sys/fs/cgroup/cpuset/inner || mkdir /sys/fs/cgroup/inner; echo made; sleep 99';
  const sleepers: string[][] = [
    ['--cpuset-cpus', '0', 'busybox', 'sleep', '99'],
    ['busybox', 'sleep', '99'],
    ['--privileged', 'busybox', 'sh', '-c', nest],
    [
      '--cap-add',
      'SYS_ADMIN',
      'busybox',
      'sh',
      '-c',
      `mount -o remount,rw,bind /sys/fs/cgroup/cpuset; ${nest}`,
    ],
  ];
  const ids: string[] = [];
  for (const command of sleepers)
    ids.push((await miniDocker('run', '-d', '--net', 'none', ...command)).stdout.trim());
  for (const id of ids.slice(2))
    await expect.poll(async () => (await miniDocker('logs', id)).stdout).toBe('made\n');
  const { stdout } = await run([], 'find /sys/fs/cgroup -mindepth 2 -type d');
  expect(stdout).toBe('');
  await miniDocker('rm', '-f', ...ids);
});

test('update lowers the memory of a running container, as it sees when it asks for more', async () => {
  await miniDocker('run', '-d', '--name', 'updated', '--net', 'none', '-m', '256m', 'busybox', 'sleep', '99');
  const take = () => miniDocker('exec', 'updated', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=96M', 'count=1');
  expect((await take()).code).toBe(0);
  expect((await miniDocker('update', '-m', '32m', '--memory-swap', '32m', 'updated')).code).toBe(0);
  expect((await take()).code).toBe(137);
  // Said when it happens: the container runs on.
  expect(await eventsOf('updated')).toContain('oom');
  expect(await inspect('updated', '{{.State.Status}}')).toBe('running');
  await miniDocker('rm', '-f', 'updated');
});

test('stats tell memory and its limit', async () => {
  await miniDocker('run', '-d', '--name', 'counted', '--net', 'none', '-m', '64m', 'busybox', 'sleep', '99');
  const { stdout } = await miniDocker(
    'stats',
    '--no-stream',
    '--format',
    '{{.MemUsage}} {{.PIDs}}',
    'counted',
  );
  expect(stdout).toMatch(/^[\d.]+[KM]iB \/ 64MiB 1\n$/);
  await miniDocker('rm', '-f', 'counted');
});

test('a device can be opened only with --device, and only as its permissions say', async () => {
  // Every kernel has it, and what is read of it, or opened and not written, changes nothing.
  const device = '/dev/cpu_dma_latency';
  const [major, minor] = numbersOf(device);
  const made = await run([], `mknod /tmp/it c ${major} ${minor} && head -c 4 /tmp/it`);
  expect(made.stderr).toMatch(/head: .*Operation not permitted/);
  const given = await run(['--device', `${device}:/dev/it:r`], 'head -c 4 /dev/it | wc -c; : >>/dev/it');
  expect(given.stdout).toBe('4\n');
  expect(given.stderr).toContain('Operation not permitted');
});

test('a limit that cannot be had is one line that says so, and leaves nothing', async () => {
  const { code, stderr } = await run(['--cpuset-cpus', '4095'], 'true');
  expect(code).toBe(125);
  expect(stderr).toMatch(/^mini-docker: Error response from daemon: .*4095.*\n$/);
  expect((await miniDocker('ps', '-aq')).stdout).toBe('');
});

/** makedev(3), the other way round. */
function numbersOf(device: string): [major: number, minor: number] {
  const { rdev } = statSync(device);
  return [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
}
