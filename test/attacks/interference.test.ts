// Containers that interfere with what the daemon does in them: they stop and kill its helpers, hold its files, and flood
// its name server. They may harm themselves; the daemon answers all other clients, and soon.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AT, O, SIG_BLOCK } from '../../mini-docker/linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { compile, type Item } from '../../mini-docker/linux/program.ts';
import { hostArchitecture, resultOf, syscall } from '../../mini-docker/linux/step.ts';
import { execve, fcntl, mkdirat, openat, sigprocmask } from '../../mini-docker/linux/syscalls.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient, eventually, unframed } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-interference-'));
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
});
afterAll(async () => {
  await daemon.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** How long the daemon may take for what takes it milliseconds: the kernel breaks a lease after 45 seconds. */
const SOON = 15_000;

async function soon<T>(doing: Promise<T>): Promise<T> {
  const begun = Date.now();
  const result = await doing;
  expect(Date.now() - begun).toBeLessThan(SOON);
  return result;
}

const sh = (script: string): string[] => ['sh', '-c', script];
/** As pid 1, which kill(2) with -1 spares. */
const signalsAll = (signal: string): string[] => sh(`while :; do kill -${signal} -1 2>/dev/null; done`);

interface ExecState {
  ExitCode: number | null;
  Pid: number;
}

test.each(['STOP', 'KILL'])('an exec whose helper gets SIG%s on its way fails, and soon', async signal => {
  const id = await engine.run(signalsAll(signal));
  for (;;) {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: ['true'] };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    const socket = await engine.hijack(`/exec/${Id}/start`);
    const look = () => engine.json<ExecState>('GET', `/exec/${Id}/json`);
    const { Pid } = await eventually(look, ({ ExitCode, Pid }) => ExitCode !== null || Pid > 0, 15_000);
    // It was quicker: its program is what was stopped, or has been killed.
    if (Pid > 0) spawnSync('kill', ['-KILL', String(Pid)]);
    const output = Buffer.concat(await socket.toArray()).toString();
    if (output === '') continue;
    expect(output).toMatch(
      /cannot execute true in \w+: (another process has stopped it|it was killed) before/,
    );
    expect((await look()).ExitCode).toBe(126);
    break;
  }
  expect((await engine.inspect(id)).State.Status).toBe('running');
});

test('a health check counts its timeout though the container stops it, and is not "starting" for ever', async () => {
  const second = 1e9;
  const Healthcheck = { Test: ['CMD', 'true'], Interval: second / 10, Timeout: second / 5, Retries: 2 };
  const id = await engine.run(signalsAll('STOP'), { Healthcheck });
  type Healthy = { State: { Health: { Status: string; Log: { Output: string }[] } } };
  const look = () => engine.json<Healthy>('GET', `/containers/${id}/json`);
  const found = await eventually(look, ({ State }) => State.Health.Status === 'unhealthy');
  expect(found.State.Health.Log.at(-1)!.Output).toContain('exceeded timeout');
});

test('a container cannot hold the start of another that shares its pids', async () => {
  const first = await engine.run(signalsAll('STOP'), { name: 'first' });
  const id = await engine.create(['true'], { HostConfig: { PidMode: 'container:first' } });
  const { status, body } = await engine.ask('POST', `/containers/${id}/start`);
  // Or it was quicker, and its program is what was stopped.
  if (status !== 204) expect(body.toString()).toMatch(/another process has stopped it|was killed/);
  expect((await engine.inspect(first)).State.Status).toBe('running');
});

const F_SETLEASE = 1024;
const F_WRLCK = 1;
const SIGIO = 29;
const setLease = syscall('fcntl', fcntl.syscall.numbers, ['fd', 'int', 'int']);

/** Takes leases on files, keeps them whatever the kernel says about that (SIGIO), and makes /ready. */
function leaseHolder(paths: string[]): string {
  const blocked = Buffer.alloc(8);
  blocked.writeUInt32LE(1 << (SIGIO - 1));
  const items: Item[] = [
    sigprocmask(SIG_BLOCK, blocked, null, 8),
    ...paths.flatMap((path): Item[] => {
      const opened = openat(AT.FDCWD, path, O.RDWR, 0);
      return [opened, setLease(resultOf(opened), F_SETLEASE, F_WRLCK)];
    }),
    mkdirat(AT.FDCWD, '/ready', 0o755),
    execve('/bin/sleep', ['sleep', '1000'], []),
  ];
  const architecture = hostArchitecture();
  const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
  writeFileSync(join(scratch, 'lease'), encodeElf({ architecture, code, data }));
  chmodSync(join(scratch, 'lease'), 0o755);
  return '/attack/lease';
}

const isReady = (id: string) => async () =>
  (await engine.ask('HEAD', `/containers/${id}/archive?path=/ready`)).status;

async function connectAndDisconnect(id: string): Promise<void> {
  const { Id } = await engine.json<{ Id: string }>('POST', '/networks/create', { Name: `second-${id}` });
  await soon(engine.json('POST', `/networks/${Id}/connect`, { Container: id }));
  await soon(engine.json('POST', `/networks/${Id}/disconnect`, { Container: id }));
  await engine.json('DELETE', `/networks/${Id}`);
}

test('a lease on a file that the daemon opens delays nothing', async () => {
  const holder = leaseHolder(['/etc/hosts', '/etc/resolv.conf', '/etc/passwd', '/held']);
  const HostConfig = { Binds: [`${scratch}:/attack:ro`], NetworkMode: 'bridge' };
  const id = await engine.run(sh(`echo secret > /held; exec ${holder}`), { HostConfig });
  await eventually(isReady(id), status => status === 200);
  await connectAndDisconnect(id);
  expect(daemon.log()).toContain('cannot update its hosts');
  const body = { User: 'nobody', Cmd: ['true'] };
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
  await soon(engine.ask('POST', `/exec/${Id}/start`, { Detach: true }));
  const copied = await soon(engine.ask('GET', `/containers/${id}/archive?path=/held`).catch(error => error));
  expect(copied.status).not.toBe(200);
});

test.each([
  ['sparse', 'truncate -s 300M /etc/hosts'],
  ['real', 'for i in $(seq 10); do cat /bin/busybox >> /etc/hosts; done'],
])('an /etc/hosts without measure (%s) costs the daemon neither time nor memory', async (_kind, script) => {
  const HostConfig = { NetworkMode: 'bridge' };
  const id = await engine.run(sh(`${script}; mkdir /ready; sleep 1000`), { HostConfig });
  await eventually(isReady(id), status => status === 200);
  const before = residentBytes();
  await connectAndDisconnect(id);
  expect(residentBytes() - before).toBeLessThan(100 * 1024 * 1024);
  // It does not lie on the tmpfs of the run directory, which no limit of the container counts.
  const { HostsPath } = await engine.json<{ HostsPath: string }>('GET', `/containers/${id}/json`);
  expect(HostsPath.startsWith(daemon.dataRoot)).toBe(true);
  expect(statSync(HostsPath).size).toBeGreaterThan(4 * 1024 * 1024);
});

test('lines that programs write into /etc/hosts stay when networks change, byte for byte', async () => {
  const HostConfig = { NetworkMode: 'bridge' };
  const script = "printf '10.9.8.7 caf\\351\\n' >> /etc/hosts; mkdir /ready; sleep 1000";
  const id = await engine.run(sh(script), { HostConfig });
  await eventually(isReady(id), status => status === 200);
  const { HostsPath } = await engine.json<{ HostsPath: string }>('GET', `/containers/${id}/json`);
  const before = readFileSync(HostsPath);
  expect(before.includes(Buffer.from('10.9.8.7 caf\xe9\n', 'latin1'))).toBe(true);
  await connectAndDisconnect(id);
  expect(readFileSync(HostsPath)).toEqual(before);
});

test('a container with a read-only root has read-only files in /etc', async () => {
  const HostConfig = { ReadonlyRootfs: true };
  const script = 'for f in hosts hostname resolv.conf; do echo x >> /etc/$f && echo written; done; exit 0';
  const id = await engine.run(sh(script), { HostConfig });
  await engine.wait(id);
  expect(await engine.logs(id, 'stdout=1')).toBe('');
});

/** A question for the address of another container (RFC 1035, 4.1). */
const QUESTION = Buffer.concat([
  Buffer.from('000101000001000000000000', 'hex'),
  Buffer.from('\x05other\0', 'latin1'),
  Buffer.from('00010001', 'hex'),
]);

/** Asks the name server in the container's network namespace as fast as it can, and reads no answer. */
const FLOODS = {
  TCP: `const query = Buffer.from('00${QUESTION.length.toString(16)}${QUESTION.toString('hex')}', 'hex');
    const many = Buffer.concat(Array(2000).fill(query));
    for (let i = 0; i < 16; i++) {
      const socket = require('net').connect(53, '127.0.0.11').pause().on('error', () => {});
      const more = () => { while (socket.write(many)); socket.once('drain', more); };
      socket.once('connect', more);
    }`,
  UDP: `const query = Buffer.from('${QUESTION.toString('hex')}', 'hex');
    const socket = require('dgram').createSocket('udp4').on('error', () => {});
    socket.connect(53, '127.0.0.11', () => {
      const more = () => { for (let i = 0; i < 500; i++) socket.send(query, () => {}); setImmediate(more); };
      more();
    });`,
};

test.each(['TCP', 'UDP'] as const)(
  'a flood of questions by %s takes neither memory nor the time of others',
  async kind => {
    const { Id } = await engine.json<{ Id: string }>('POST', '/networks/create', { Name: `flooded-${kind}` });
    const HostConfig = { NetworkMode: `flooded-${kind}` };
    const flooder = await engine.run(['sleep', '1000'], { HostConfig });
    const other = await engine.run(['sleep', '1000'], { HostConfig, name: 'other' });
    const { State } = await engine.inspect(flooder);
    const before = residentBytes();
    const flood = spawn('nsenter', [`--net=/proc/${State.Pid}/ns/net`, process.execPath, '-e', FLOODS[kind]]);
    try {
      let most = 0;
      for (const end = Date.now() + 3000; Date.now() < end; ) {
        await soon(engine.ask('GET', '/_ping'));
        most = Math.max(most, residentBytes() - before);
      }
      expect(most).toBeLessThan(80 * 1024 * 1024);
      const body = { AttachStdout: true, Cmd: ['nslookup', 'other', '127.0.0.11'] };
      const exec = await engine.json<{ Id: string }>('POST', `/containers/${other}/exec`, body);
      const socket = await engine.hijack(`/exec/${exec.Id}/start`);
      expect(unframed(Buffer.concat(await socket.toArray()))).toMatch(
        /Address.*\d+\.\d+\.\d+\.2|Address.*\.3/,
      );
      expect(flood.exitCode).toBeNull();
    } finally {
      flood.kill('SIGKILL');
      for (const each of [flooder, other]) await engine.json('DELETE', `/containers/${each}?force=1`);
      await engine.json('DELETE', `/networks/${Id}`);
    }
  },
);

function residentBytes(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
