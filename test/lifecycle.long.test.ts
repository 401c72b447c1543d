// Containers in numbers.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startDaemon } from './support/daemon.ts';
import { engineClient } from './support/engine-client.ts';

const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\sZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

test('200 containers live at once, and are gone after rm -f', async () => {
  await using daemon = await startDaemon();
  const engine = engineClient(daemon);
  const ids: string[] = [];
  for (let count = 0; count < 200; count++) ids.push(await engine.run(['sleep', '1000']));
  const running = await engine.json<object[]>('GET', '/containers/json');
  expect(running).toHaveLength(200);
  const pids = await Promise.all(ids.map(async id => (await engine.inspect(id)).State.Pid));
  expect(pids.every(isAlive)).toBe(true);
  await Promise.all(ids.map(id => engine.ask('DELETE', `/containers/${id}?force=1`)));
  expect(pids.some(isAlive)).toBe(false);
  expect(await engine.json<object[]>('GET', '/containers/json?all=1')).toEqual([]);
}, 240_000);
