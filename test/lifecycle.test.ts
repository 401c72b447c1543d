// A container's life as its user sees it: states, signals, restarts, removal, waiting.

import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1')) {
    await engine.ask('DELETE', `/containers/${Id}?force=1&v=1`);
  }
});
afterAll(() => daemon.stop());

const post = (path: string) => engine.ask('POST', `/containers/${path}`);
const status = async (id: string) => (await engine.inspect(id)).State.Status;
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\sZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const SLEEP = ['sleep', '1000'];

test('created, running, paused, running, exited: and each step only from where it makes sense', async () => {
  const id = await engine.create(SLEEP, { name: 'life' });
  expect(await engine.inspect(id)).toMatchObject({
    State: { Status: 'created', Pid: 0, StartedAt: '0001-01-01T00:00:00Z' },
  });
  expect((await post(`${id}/stop`)).status).toBe(304);
  expect((await post(`${id}/pause`)).status).toBe(409);
  expect((await post(`${id}/start`)).status).toBe(204);
  expect((await post(`${id}/start`)).status).toBe(304);
  const { Pid } = (await engine.inspect(id)).State;
  expect(readFileSync(`/proc/${Pid}/cmdline`, 'utf8')).toBe('sleep\u00001000\0');
  expect((await post(`${id}/unpause`)).status).toBe(409);
  expect((await post(`${id}/pause`)).status).toBe(204);
  expect(await status(id)).toBe('paused');
  expect((await engine.ask('POST', `/containers/${id}/exec`, { Cmd: ['true'] })).status).toBe(409);
  expect((await post(`${id}/unpause`)).status).toBe(204);
  expect((await engine.ask('DELETE', `/containers/${id}`)).status).toBe(409);
  expect((await post(`${id}/stop?t=0`)).status).toBe(204);
  expect(isAlive(Pid)).toBe(false);
  expect(await engine.inspect(id)).toMatchObject({ State: { Status: 'exited', ExitCode: 137, Pid: 0 } });
  expect((await post(`${id}/kill`)).status).toBe(409);
  expect((await engine.ask('DELETE', `/containers/${id}`)).status).toBe(204);
  expect((await engine.ask('GET', `/containers/${id}/json`)).status).toBe(404);
});

test('stop sends the stop signal and waits; a container that ignores it is killed when the time is up', async () => {
  const polite = await engine.run(
    ['sh', '-c', "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done"],
    {
      StopSignal: 'SIGUSR1',
    },
  );
  const deaf = await engine.run(['sh', '-c', "trap '' TERM; echo ready; sleep 1000"]);
  for (const id of [polite, deaf])
    await eventually(
      () => engine.logs(id),
      text => text === 'ready\n',
    );
  await post(`${polite}/stop`);
  expect((await engine.inspect(polite)).State.ExitCode).toBe(5);
  const begin = Date.now();
  await post(`${deaf}/stop?t=1`);
  expect(Date.now() - begin).toBeGreaterThan(950);
  expect((await engine.inspect(deaf)).State.ExitCode).toBe(137);
});

test('a container can be removed by force while a client waits for its end, even while it is paused', async () => {
  for (const paused of [false, true]) {
    const id = await engine.run(SLEEP);
    const { Pid } = (await engine.inspect(id)).State;
    if (paused) await post(`${id}/pause`);
    const waiting = engine.wait(id, 'removed');
    const stopping = post(`${id}/stop?t=100`);
    await sleep(50);
    expect((await engine.ask('DELETE', `/containers/${id}?force=1`)).status).toBe(204);
    expect(await waiting).toBe(137);
    await stopping;
    expect(isAlive(Pid)).toBe(false);
    expect(existsSync(join(daemon.dataRoot, 'containers', id))).toBe(false);
  }
});

test('restart policies start again, with growing delays, until they are not to', async () => {
  const failing = await engine.run(['sh', '-c', 'exit 3'], {
    HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  });
  const ended = await eventually(
    () => engine.inspect(failing),
    ({ RestartCount, State }) => RestartCount === 2 && State.Status === 'exited',
  );
  expect(ended.State.ExitCode).toBe(3);
  const fine = await engine.run(['true'], { HostConfig: { RestartPolicy: { Name: 'on-failure' } } });
  expect(await engine.wait(fine)).toBe(0);
  expect(await status(fine)).toBe('exited');
  const always = await engine.run(['sh', '-c', 'sleep 0.05'], {
    HostConfig: { RestartPolicy: { Name: 'always' } },
  });
  await eventually(
    () => engine.inspect(always),
    ({ RestartCount }) => RestartCount >= 3,
  );
  expect((await post(`${always}/stop?t=0`)).status).toBe(204);
  const { RestartCount } = await engine.inspect(always);
  await sleep(1500);
  expect(await engine.inspect(always)).toMatchObject({ RestartCount, State: { Status: 'exited' } });
});

test('a killed program of a container that always runs is started again', async () => {
  const id = await engine.run(SLEEP, { HostConfig: { RestartPolicy: { Name: 'always' } } });
  const { Pid } = (await engine.inspect(id)).State;
  process.kill(Pid, 'SIGKILL');
  const again = await eventually(
    () => engine.inspect(id),
    ({ State }) => State.Pid !== 0 && State.Pid !== Pid,
  );
  expect(again).toMatchObject({ RestartCount: 1, State: { Status: 'running' } });
});

test('--rm removes at the end, also after a start that failed, and waiting for that works', async () => {
  const id = await engine.create(['sh', '-c', 'exit 4'], { HostConfig: { AutoRemove: true } });
  const removed = engine.wait(id, 'removed');
  await post(`${id}/start`);
  expect(await removed).toBe(4);
  expect((await engine.ask('GET', `/containers/${id}/json`)).status).toBe(404);
  const broken = await engine.create(['nothing'], { HostConfig: { AutoRemove: true } });
  expect((await post(`${broken}/start`)).body.toString()).toContain('executable file not found in $PATH');
  expect((await engine.ask('GET', `/containers/${broken}/json`)).status).toBe(404);
});

test('a start that fails says why, leaves the container created, and nothing runs', async () => {
  const cases: [string[], object, number, RegExp][] = [
    [['nothing'], {}, 127, /"nothing\\?": executable file not found in \$PATH/],
    [['/nothing/here'], {}, 127, /no such file or directory/],
    [['/etc/passwd'], {}, 126, /permission denied/],
    [['true'], { User: 'nobody-here' }, 128, /unable to find user nobody-here/],
    [['true'], { HostConfig: { NetworkMode: 'container:' } }, 0, /./],
  ];
  for (const [cmd, more, code, message] of cases) {
    const made = await engine.ask('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: cmd,
      HostConfig: { NetworkMode: 'none' },
      ...more,
    });
    if (made.status !== 201) {
      expect(made.status).toBeGreaterThanOrEqual(400);
      continue;
    }
    const { Id } = JSON.parse(made.body.toString());
    const started = await post(`${Id}/start`);
    expect(started.status).toBeGreaterThanOrEqual(400);
    expect(started.body.toString()).toMatch(message);
    const { State } = await engine.inspect(Id);
    expect(State).toMatchObject({ Status: 'created', Pid: 0, ExitCode: code });
    expect(State.Error).toMatch(message);
    expect(existsSync(join(daemon.runDir, 'containers', Id))).toBe(false);
  }
});

test('of many requests for a name at once one gets it, and the name is free again after rename and removal', async () => {
  const body = { Image: 'busybox', Cmd: ['true'] };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => engine.ask('POST', '/containers/create?name=wanted', body)),
  );
  expect(answers.map(answer => answer.status).sort()).toEqual([201, ...Array(9).fill(409)]);
  expect(answers.find(answer => answer.status === 409)!.body.toString()).toMatch(
    /Conflict. The container name \\"\/wanted\\" is already in use by container/,
  );
  await post('wanted/rename?name=renamed');
  expect((await engine.inspect('renamed')).Name).toBe('/renamed');
  expect((await engine.ask('GET', '/containers/wanted/json')).status).toBe(404);
  const again = await engine.create(['true'], { name: 'wanted' });
  expect((await post(`${again}/rename?name=renamed`)).status).toBe(409);
  await engine.ask('DELETE', '/containers/renamed');
  expect((await post(`${again}/rename?name=renamed`)).status).toBe(204);
});

test('containers share namespaces when they are told to', async () => {
  const first = await engine.run(SLEEP, { name: 'first', HostConfig: { IpcMode: 'shareable' } });
  const second = await engine.run(['sh', '-c', 'echo shared > /dev/shm/note; sleep 1000'], {
    HostConfig: { NetworkMode: 'container:first', PidMode: 'container:first', IpcMode: 'container:first' },
  });
  const pids = await Promise.all([first, second].map(async id => (await engine.inspect(id)).State.Pid));
  const namespaces = (kind: string) => pids.map(pid => readlinkSync(`/proc/${pid}/ns/${kind}`));
  for (const kind of ['net', 'pid', 'ipc']) expect(new Set(namespaces(kind)).size, kind).toBe(1);
  for (const kind of ['mnt', 'uts']) expect(new Set(namespaces(kind)).size, kind).toBe(2);
  await eventually(async () => existsSync(`/proc/${pids[0]}/root/dev/shm/note`), Boolean);
  // Missed at the start: a 404 at create would make the docker command pull the image.
  const lonely = engine.run(['true'], { HostConfig: { NetworkMode: 'container:second-one' } });
  await expect(lonely).rejects.toThrow('No such container');
});

test('a container with --rm can be restarted, and goes at its real end', async () => {
  const id = await engine.run(SLEEP, { HostConfig: { AutoRemove: true } });
  const { Pid } = (await engine.inspect(id)).State;
  expect((await post(`${id}/restart?t=0`)).status).toBe(204);
  const again = await engine.inspect(id);
  expect(again.State.Status).toBe('running');
  expect(again.State.Pid).not.toBe(Pid);
  await post(`${id}/stop?t=0`);
  await eventually(
    () => engine.ask('GET', `/containers/${id}/json`),
    ({ status: found }) => found === 404,
  );
});
