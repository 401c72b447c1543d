// Requests and containers that go for the host by way of what the daemon itself does as root: the groups that it makes, the
// files that it shares with a container, the rank that it has when memory runs out.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

test('--cgroup-parent makes and removes groups in the tree only, however many .. it has', async () => {
  const name = `mini-docker-attack-${process.pid}`;
  for (const parent of ['../'.repeat(9) + name, `/../x/${'../'.repeat(9)}${name}`]) {
    const id = await engine.run(['sleep', '600'], { HostConfig: { CgroupParent: parent } });
    const { State } = await engine.inspect(id);
    const groups = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8');
    expect(groups).toContain(`/${name}/${id}\n`);
    expect(existsSync(`/${name}`)).toBe(false);
    await engine.json('DELETE', `/containers/${id}?force=1`);
  }
});
