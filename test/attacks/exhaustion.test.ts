// Containers and clients that use up what there is: processes, descriptors, pipes, terminals without a reader, logs that
// are not what they were. The daemon goes on, and gives back what it took.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { F } from '../../mini-docker/linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { compile } from '../../mini-docker/linux/program.ts';
import { hostArchitecture, mayFail } from '../../mini-docker/linux/step.ts';
import { execve, fcntl } from '../../mini-docker/linux/syscalls.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient, eventually } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-exhaustion-'));
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
});
afterAll(async () => {
  await daemon.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const descriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};
const residentBytes = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))![1]) * 1024;

const PIDS = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find(path => existsSync(join(path, 'cgroup.procs')))!;

test('a fork bomb without --pids-limit ends with its container', async () => {
  // The bound is the test's own, around the group that the container is made in: the machine is not only ours.
  const parent = join(PIDS, `mini-docker-bomb-${process.pid}`);
  mkdirSync(parent);
  try {
    writeFileSync(join(parent, 'pids.max'), '400');
    const HostConfig = { CgroupParent: `/mini-docker-bomb-${process.pid}` };
    const bomb = ['sh', '-c', 'b() { b | b & }; b; while :; do sleep 1; done'];
    const id = await engine.run(bomb, { HostConfig });
    const full = async () => Number(readFileSync(join(parent, 'pids.current'), 'utf8'));
    await eventually(full, count => count > 350);
    const other = await engine.run(['echo', 'goes on']);
    expect(await engine.wait(other)).toBe(0);
    await engine.json('DELETE', `/containers/${id}?force=1`);
    await eventually(full, count => count === 0);
  } finally {
    await eventually(
      async () => removed(parent),
      gone => gone,
    );
  }
});

function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
  }
  return true;
}

test('five thousand clients that attach or only begin to, and send nothing more, delay no other', async () => {
  const id = await engine.run(['sh', '-c', 'while :; do echo tick; sleep 1; done']);
  await engine.ask('GET', '/_ping');
  const before = descriptors();
  const clients: Socket[] = [];
  const head = `POST /containers/${id}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n`;
  for (let round = 0; round < 50; round++) {
    const heads = Array.from({ length: 100 }, (_, number) => {
      const client = connect({ path: daemon.socket, allowHalfOpen: true });
      clients.push(client.on('error', () => {}));
      if (number % 2 === 0)
        return new Promise((done, failed) => client.write(head, error => (error ? failed(error) : done(0))));
      client.end(`${head}\r\n`);
      return new Promise((heard, failed) =>
        client.once('data', data => heard(client.pause() && data)).once('error', failed),
      );
    });
    await Promise.all(heads);
  }
  expect(descriptors()).toBeGreaterThan(before + 4900);
  const other = await engine.run(['true']);
  expect(await engine.wait(other)).toBe(0);
  for (const client of clients) client.destroy();
  await eventually(
    async () => descriptors(),
    count => count < before + 20,
  );
  await engine.json('DELETE', `/containers/${id}?force=1`);
});

test('a daemon without free descriptors refuses requests, and serves them again when there are some', async () => {
  const id = await engine.run(['sleep', '1000']);
  await engine.ask('GET', '/_ping');
  const before = descriptors();
  const limit = (soft: number) => execFileSync('prlimit', [`--pid=${daemon.pid}`, `--nofile=${soft}:`]);
  const old = Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/limits`, 'utf8'))![1]);
  limit(before + 60);
  const run = async () => {
    const body = { AttachStdout: true, Cmd: ['sleep', '1'] };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    const socket = await engine.hijack(`/exec/${Id}/start`);
    return Buffer.concat(await socket.toArray()).toString();
  };
  const answers = await Promise.allSettled(Array.from({ length: 40 }, run));
  expect(answers.filter(({ status }) => status === 'rejected').length).toBeLessThan(40);
  const start = await engine.create(['true']);
  await Promise.allSettled(Array.from({ length: 8 }, () => engine.ask('POST', `/containers/${start}/start`)));
  limit(old);
  await eventually(
    async () => descriptors(),
    count => count <= before + 5,
  );
  const other = await engine.run(['true']);
  expect(await engine.wait(other)).toBe(0);
  expect(await run()).toBe('');
  expect(daemon.log()).not.toMatch(/EBADF|unexpected:/);
});

test('clients that come and go with their input send no signal to strangers', async () => {
  const client = async () => {
    for (let round = 0; round < 8; round++) {
      const open = { OpenStdin: true, StdinOnce: true, AttachStdin: true };
      const id = await engine.create(['cat'], open);
      const socket = await engine.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`);
      await engine.json('POST', `/containers/${id}/start`);
      socket.end('typed');
      if (round % 2 === 0) await engine.wait(id);
      await engine.ask('DELETE', `/containers/${id}?force=1`);
      socket.destroy();
    }
  };
  const before = daemon.log().length;
  await Promise.all([client(), client(), client(), client()]);
  expect(daemon.log().slice(before)).toBe('');
});

test('a program that resizes its log pipe costs no line', async () => {
  const architecture = hostArchitecture();
  const script = 'seq 50000';
  for (const size of [4096, 1024 * 1024]) {
    const items = [
      // It may not grow where all users' pipes have many pages (/proc/sys/fs/pipe-user-pages-soft).
      mayFail(fcntl(1, F.SETPIPE_SZ, size), 'EPERM'),
      execve('/bin/sh', ['sh', '-c', script], ['PATH=/bin:/usr/bin']),
    ];
    const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
    const program = join(scratch, `pipe-${size}`);
    writeFileSync(program, encodeElf({ architecture, code, data }));
    chmodSync(program, 0o755);
    const HostConfig = { Binds: [`${scratch}:/attack:ro`] };
    const id = await engine.run([`/attack/pipe-${size}`], { HostConfig });
    expect(await engine.wait(id)).toBe(0);
    const lines = (await engine.logs(id)).trimEnd().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([50_000, '50000']);
  }
});

test('a terminal that is not read delays neither its program nor the daemon', async () => {
  const id = await engine.run(['sleep', '1000'], { Tty: true });
  const body = { AttachStdout: true, Tty: true, Cmd: ['sh', '-c', 'seq 300000; touch /done'] };
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
  const before = residentBytes();
  const socket = await engine.hijack(`/exec/${Id}/start`, { Tty: true });
  socket.pause();
  const done = async () => (await engine.ask('HEAD', `/containers/${id}/archive?path=/done`)).status;
  await eventually(done, status => status === 200);
  expect(residentBytes() - before).toBeLessThan(60 * 1024 * 1024);
  // On disk beside the container's layer, not in the memory that the run directory is.
  const open = readdirSync(`/proc/${daemon.pid}/fd`).map(fd => linkOf(`/proc/${daemon.pid}/fd/${fd}`));
  const spilled = open.filter(path => path.includes('/spill-'));
  expect(spilled).toEqual([expect.stringContaining(join(daemon.dataRoot, 'containers', id))]);
  socket.destroy();
});

test('a log that was tampered with is read as far as possible', async () => {
  const id = await engine.run(['sh', '-c', 'echo first']);
  await engine.wait(id);
  const { LogPath } = await engine.inspect(id);
  for (const garbage of [
    'no JSON\n',
    '{"log":"torn',
    '\n{}\n{"log":1,"stream":"stdout"}\n{"log":"x\\n","stream":"nowhere","time":"never"}\nnull\n[]\n',
    `{"log":"${'x'.repeat(20_000_000)}`,
    Buffer.alloc(1_000_000, 0xff),
  ])
    appendFileSync(LogPath, garbage);
  const before = residentBytes();
  for (const query of ['stdout=1&stderr=1', 'stdout=1&tail=5', 'stdout=1&since=1', 'stdout=1&timestamps=1']) {
    const { status, body } = await engine.ask('GET', `/containers/${id}/logs?${query}`);
    expect(status).toBe(200);
    if (query === 'stdout=1&stderr=1') expect(body.toString()).toContain('first\n');
  }
  expect(residentBytes() - before).toBeLessThan(200 * 1024 * 1024);
  rmSync(LogPath);
  mkdirSync(LogPath);
  expect(await engine.logs(id), 'nothing of it is left').toBe('');
  await engine.json('DELETE', `/containers/${id}`);
});
