// An ordinary user's daemon in a control group that was delegated to the user, as systemd does with Delegate=yes: run by
// v2.long.test.ts, since version 1 cannot be delegated.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';
import { USER } from '../support/ordinary-user.ts';

const DELEGATED = '/sys/fs/cgroup/delegated';
let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  // Other files that ran in this machine before may have passed on more.
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '-cpu +memory +pids');
  mkdirSync(DELEGATED);
  for (const file of ['', '/cgroup.procs', '/cgroup.subtree_control', '/cgroup.threads'])
    chownSync(DELEGATED + file, USER.id, USER.id);
  daemon = await startDaemon({ rootless: true, cgroup: DELEGATED });
  engine = engineClient(daemon);
});
afterAll(() => daemon?.stop());

const groupOf = (id: string): string => `${DELEGATED}/mini-docker/${id}`;
const limit = (id: string, file: string): string => readFileSync(`${groupOf(id)}/${file}`, 'utf8').trim();

test('a limit reaches the kernel, in the group that was delegated', async () => {
  const id = await engine.run(['sleep', '1000'], { HostConfig: { Memory: 2 ** 25, PidsLimit: 20 } });
  expect(limit(id, 'memory.max')).toBe(String(2 ** 25));
  expect(limit(id, 'pids.max')).toBe('20');
  const { Pid } = (await engine.inspect(id)).State;
  expect(limit(id, 'cgroup.procs')).toBe(String(Pid));
  await engine.ask('DELETE', `/containers/${id}?force=1`);
  expect(existsSync(groupOf(id))).toBe(false);
});

test('a container beyond its memory is killed, and one that is paused stands still', async () => {
  const greedy = await engine.run(['tail', '/dev/zero'], { HostConfig: { Memory: 2 ** 24 } });
  expect(await engine.wait(greedy)).toBe(137);
  expect((await engine.inspect(greedy)).State.OOMKilled).toBe(true);
  const id = await engine.run(['sleep', '1000']);
  await engine.json('POST', `/containers/${id}/pause`);
  expect(limit(id, 'cgroup.freeze')).toBe('1');
  for (const each of [greedy, id]) await engine.ask('DELETE', `/containers/${each}?force=1`);
});

test('a limit whose controller was not delegated is refused, with the remedy', async () => {
  const id = await engine.create(['true'], { HostConfig: { CpuQuota: 50_000 } });
  const { status, body } = await engine.ask('POST', `/containers/${id}/start`);
  expect([status, String(body)]).toEqual([
    500,
    expect.stringContaining('Delegate=cpu cpuset io memory pids'),
  ]);
  await engine.ask('DELETE', `/containers/${id}?force=1`);
});

test('a daemon that follows a killed one finds the container in its group', async () => {
  const id = await engine.run(['sleep', '1000'], { HostConfig: { PidsLimit: 9 } });
  await daemon.end('SIGKILL');
  await daemon.begin();
  expect((await engine.inspect(id)).State.Status).toBe('running');
  await engine.json('POST', `/containers/${id}/update`, { PidsLimit: 11 });
  expect(limit(id, 'pids.max')).toBe('11');
  await engine.ask('DELETE', `/containers/${id}?force=1`);
  expect(
    readdirSync(`${DELEGATED}/mini-docker`, { withFileTypes: true }).filter(each => each.isDirectory()),
  ).toEqual([]);
});
