// What a kernel or a process has only so many of: the container that finds none left is refused with its reason, and
// leaves nothing.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';
import { grown, holdings } from './measure.ts';

let daemon: TestDaemon;
let engine: EngineClient;
beforeEach(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterEach(() => daemon.stop());

const inNetwork = (input: string, ...command: string[]) =>
  execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', ...command], { input, encoding: 'utf8' });

test('a network whose bridge has all its ports refuses the next container', {
  timeout: 120_000,
}, async () => {
  await engine.json('POST', '/networks/create', { Name: 'full' });
  const HostConfig = { NetworkMode: 'full' };
  await engine.run(['sleep', '1000'], { name: 'one', HostConfig });
  const bridge = /^(mini-\w+)/m.exec(inNetwork('', 'ip', '-br', 'link', 'show', 'type', 'bridge'))![1]!;
  const rest = Array.from(
    { length: 1022 },
    (_, index) => `link add port${index} master ${bridge} type vxlan id ${index + 1} dstport 0`,
  );
  inNetwork(rest.join('\n'), 'ip', '-batch', '-');
  const before = holdings(daemon);
  await engine.create(['true'], { name: 'two', HostConfig });
  const { status, body } = await engine.ask('POST', '/containers/two/start');
  expect(status).toBe(403);
  expect(JSON.parse(body.toString()).message).toBe(
    'network full is full: its bridge has 1023 ports, as many as the kernel allows; put further containers on another network',
  );
  expect((await engine.inspect('two')).State.Status).toBe('created');
  await engine.json('DELETE', '/containers/two');
  expect(await grown(daemon, before)).toEqual([]);
});

test('a daemon with too many open files refuses to start a container', async () => {
  const before = holdings(daemon);
  await engine.create(['sleep', '1000'], { name: 'late' });
  execFileSync('prlimit', ['--pid', String(daemon.pid), '--nofile=1024']);
  const connections = Array.from({ length: 900 }, () => connect(daemon.socket));
  await Promise.all(connections.map(each => once(each, 'connect')));
  const { status, body } = await engine.ask('POST', '/containers/late/start');
  expect(status).toBe(503);
  expect(JSON.parse(body.toString()).message).toBe(
    'the daemon has too many open files for another container: stop some, or raise its limit (LimitNOFILE, ulimit -n)',
  );
  for (const each of connections) each.destroy();
  await engine.json('DELETE', '/containers/late');
  expect(await grown(daemon, before)).toEqual([]);
});
