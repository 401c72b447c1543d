// The daemon comes and goes: what it does when it starts, what it leaves when it stops, and who may start one.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeEach(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterEach(() => daemon.stop());

const SLEEP = ['sleep', '1000'];
const again = async (signal: NodeJS.Signals, meanwhile?: () => Promise<unknown>) => {
  const code = await daemon.end(signal);
  await meanwhile?.();
  await daemon.begin();
  return code;
};
const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

function runDaemon(...args: string[]): Promise<{ code: number; stderr: string }> {
  return new Promise(resolve => {
    execFile(NODE, [MAIN, 'daemon', ...args], { timeout: 15_000 }, (error, _stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stderr });
    });
  });
}

test('containers go on when the daemon stops in an orderly way, and it takes them over again', async () => {
  const id = await engine.run(['sh', '-c', 'while :; do echo tick; sleep 0.05; done'], { name: 'going' });
  const before = await engine.inspect(id);
  expect(await again('SIGTERM', () => sleep(200))).toBe(0);
  const after = await engine.inspect('going');
  expect(after.State).toEqual(before.State);
  expect((await engine.logs(id)).length).toBeGreaterThan(4 * 'tick\n'.length);
  const exec = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'] });
  expect((await engine.ask('POST', `/exec/${exec.Id}/start`, { Detach: true })).status).toBe(200);
  expect((await engine.ask('POST', `/containers/${id}/stop?t=0`)).status).toBe(204);
});

test('a paused container is found paused, and a stopped one stopped', async () => {
  const paused = await engine.run(SLEEP);
  await engine.json('POST', `/containers/${paused}/pause`);
  const ended = await engine.run(['sh', '-c', 'exit 6']);
  await engine.wait(ended);
  const made = await engine.create(SLEEP);
  await again('SIGKILL');
  expect((await engine.inspect(paused)).State.Status).toBe('paused');
  expect((await engine.inspect(ended)).State).toMatchObject({ Status: 'exited', ExitCode: 6 });
  expect((await engine.inspect(made)).State.Status).toBe('created');
  expect((await engine.ask('POST', `/containers/${paused}/unpause`)).status).toBe(204);
});

test('a container that exits while no daemon runs: its exit code, time and last output are known, and --rm is obeyed', async () => {
  const id = await engine.run(['sh', '-c', 'sleep 0.2; echo last words; exit 8']);
  const brief = await engine.run(['sh', '-c', 'sleep 0.2'], { HostConfig: { AutoRemove: true } });
  const again_ = await engine.run(['sh', '-c', 'sleep 0.2; exit 1'], {
    HostConfig: { RestartPolicy: { Name: 'always' } },
  });
  const { Pid } = (await engine.inspect(id)).State;
  let gone = 0;
  await again('SIGKILL', async () => {
    await expect.poll(() => existsSync(`/proc/${Pid}`)).toBe(false);
    gone = Date.now();
    // The end is told by when it was, not by when the next daemon came.
    await sleep(500);
  });
  expect(await engine.wait(id)).toBe(8);
  const { State } = await engine.inspect(id);
  expect(Date.parse(State.FinishedAt)).toBeLessThan(gone + 100);
  expect(await engine.logs(id)).toBe('last words\n');
  await eventually(
    () => engine.ask('GET', `/containers/${brief}/json`),
    ({ status }) => status === 404,
  );
  await eventually(
    () => engine.inspect(again_),
    ({ RestartCount }) => RestartCount > 0,
  );
});

test('an exit code that cannot be known is not invented', async () => {
  const id = await engine.run(SLEEP);
  const { Pid } = (await engine.inspect(id)).State;
  const monitor = Number(/^PPid:\s(\d+)/m.exec(readFileSync(`/proc/${Pid}/status`, 'utf8'))![1]);
  await daemon.end('SIGKILL');
  process.kill(monitor, 'SIGKILL');
  process.kill(Pid, 'SIGKILL');
  // Until all have ended; without a parent that waits for them they stay zombies, which is as good.
  for (const end = Date.now() + 2000; existsSync(`/proc/${Pid}`) && Date.now() < end; ) await sleep(20);
  await daemon.begin();
  const found = await eventually(
    () => engine.inspect(id),
    ({ State }) => State.Status === 'exited',
  );
  expect(found.State.ExitCode).toBe(255);
  expect(found.State.Error).toContain('exit code is not known');
});

test('after a reboot the run directory is empty: restart policies decide what runs', async () => {
  const policy = (Name: string) => ({ HostConfig: { RestartPolicy: { Name } } });
  const always = await engine.run(SLEEP, policy('always'));
  const stopped = await engine.run(SLEEP, policy('unless-stopped'));
  const unless = await engine.run(SLEEP, policy('unless-stopped'));
  const never = await engine.run(SLEEP);
  await engine.json('POST', `/containers/${stopped}/stop?t=0`);
  const pids = await Promise.all(
    [always, unless, never].map(async id => (await engine.inspect(id)).State.Pid),
  );
  // A start is written down within a second.
  for (const id of [always, unless, never]) {
    const record = join(daemon.dataRoot, 'containers', id, 'config.json');
    await eventually(
      async () => JSON.parse(readFileSync(record, 'utf8')) as { state: { status: string } },
      ({ state }) => state.status === 'running',
    );
  }
  await daemon.end('SIGKILL');
  for (const pid of pids) {
    const monitor = Number(/^PPid:\s(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
    process.kill(monitor, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
  }
  rmSync(join(daemon.runDir, 'containers'), { recursive: true });
  await daemon.begin();
  const status = async (id: string) => (await engine.inspect(id)).State.Status;
  expect(await Promise.all([always, stopped, unless, never].map(status))).toEqual([
    'running',
    'exited',
    'running',
    'exited',
  ]);
});

test('half-made and half-removed containers are gone, and the run directory is cleaned up', async () => {
  const id = await engine.run(SLEEP);
  await daemon.end('SIGKILL');
  const { execFileSync } = await import('node:child_process');
  execFileSync('sh', [
    '-c',
    `cd ${daemon.dataRoot}/containers && mkdir -p .creating-x/upper .removing-y/upper/deep && mkdir -p ${daemon.runDir}/containers/${'f'.repeat(64)}`,
  ]);
  await daemon.begin();
  expect(readdirSync(join(daemon.dataRoot, 'containers'))).toEqual([id]);
  expect(readdirSync(join(daemon.runDir, 'containers'))).toEqual([id]);
});

test('two daemons never share a directory, and a wrong command line is one line', async () => {
  const other = mkdtempSync(join(tmpdir(), 'mini-docker-other-'));
  try {
    const data = await runDaemon('--data-root', daemon.dataRoot, '--run-dir', join(other, 'run'));
    expect(data).toMatchObject({ code: 1 });
    expect(data.stderr).toBe(
      `mini-docker: another daemon (pid ${daemon.pid}) uses ${daemon.dataRoot}: stop it, or choose another directory\n`,
    );
    const run = await runDaemon('--data-root', join(other, 'data'), '--run-dir', daemon.runDir);
    expect(run.stderr).toContain(`uses ${daemon.runDir}`);
    const wrong = await runDaemon('--nope');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr.trimEnd().split('\n')).toHaveLength(1);
    const host = await runDaemon(
      '--data-root',
      join(other, 'd'),
      '--run-dir',
      join(other, 'r'),
      '--host',
      'http://x',
    );
    expect(host).toMatchObject({ code: 1 });
    expect(host.stderr).toContain('cannot listen on http://x');
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});

test('a daemon whose log has no reader serves as before, and does not retry for ever', async () => {
  await using deaf = await startDaemon({ args: ['--debug'] });
  const client = engineClient(deaf);
  await client.json('GET', '/info');
  expect(deaf.log()).toContain('GET /info');
  deaf.stopListening();
  /** System calls that write, as the kernel counts them. proc_pid_io(5) */
  const writes = () => Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${deaf.pid}/io`, 'utf8'))![1]);
  for (let count = 0; count < 10; count++) await client.json('GET', '/info');
  const writesIn = async (milliseconds: number) => {
    const before = writes();
    await sleep(milliseconds);
    return writes() - before;
  };
  await expect.poll(() => writesIn(100)).toBe(0);
  const id = await client.run(['sh', '-c', 'exit 5']);
  expect(await client.wait(id)).toBe(5);
});

test("only root and the socket's group may use the socket", async () => {
  expect(statSync(daemon.socket).mode & 0o777).toBe(0o660);
});

test('no descriptor of the daemon gets into a container, and the host sees none of its mounts', async () => {
  const id = await engine.run(SLEEP);
  const { Pid } = (await engine.inspect(id)).State;
  const open = readdirSync(`/proc/${Pid}/fd`);
  expect(open.sort()).toEqual(['0', '1', '2']);
  expect(readlinkSync(`/proc/${Pid}/fd/0`)).toBe('/dev/null');
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(daemon.dataRoot);
  expect(readFileSync(`/proc/${daemon.pid}/mountinfo`, 'utf8')).not.toContain('overlay');
  expect(existsSync(join(daemon.dataRoot, 'containers', id))).toBe(true);
});
