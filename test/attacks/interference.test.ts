// Containers that interfere with what the daemon does in them: they stop and kill its helpers, hold its files, and flood
// its name server. They may harm themselves; the daemon answers everybody else, and soon.
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient, eventually } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
});
afterAll(() => daemon.stop());

const sh = (script: string): string[] => ['sh', '-c', script];
/** As pid 1, which kill(2) of everybody leaves out. */
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
