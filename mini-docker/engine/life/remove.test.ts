import { existsSync, readdirSync, renameSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SIG } from '../../linux/constants.ts';
import { memoryEngine } from '../testing/memory-engine.ts';
import { removeContainer } from './remove.ts';
import { startContainer } from './start-container.ts';
import { waitFor } from './wait.ts';

test('what runs is removed by force alone', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  await expect(removeContainer(context, live, {})).rejects.toMatchObject({ kind: 'conflict' });
  expect(runtime.latest.signals).toEqual([]);
  await removeContainer(context, live, { force: true });

  expect(runtime.latest.signals).toEqual([SIG.KILL]);
  expect(live.removed).toBe(true);
  expect(context.containers.find(live.name)).toBeUndefined();
  expect(existsSync(context.paths.container(live.id).directory)).toBe(false);
});

test('no policy starts what is being removed', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start({ host: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } });
  await removeContainer(context, live, { force: true });

  expect(live.restartTimer).toBeUndefined();
  expect(runtime.containers).toHaveLength(1);
});

test('a second removal is told of the first', async () => {
  const { context, start } = memoryEngine();
  const live = await start();
  const { result } = waitFor(context, live, { condition: 'removed' });
  const first = removeContainer(context, live, { force: true });
  await live.hold().then(held => held[Symbol.dispose]());

  await expect(removeContainer(context, live, { force: true })).rejects.toThrow(/already in progress/);
  await first;
  expect(await result).toEqual({ StatusCode: 137 });
});

test('its files are deleted when its layers are mounted nowhere any more, and no client waits for that', async () => {
  const { context, add } = memoryEngine();
  const live = add();
  const { promise, resolve } = Promise.withResolvers<void>();
  live.unmounted = promise;
  await removeContainer(context, live, {});
  // A deletion that had begun would be done by then.
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  const left = () => readdirSync(context.paths.containers);
  expect(left()).toEqual([expect.stringContaining(live.id)]);
  resolve();
  await context.deletions.settled();
  expect(left()).toEqual([]);
});

test('where the disk refuses, the container stays and can be started', async () => {
  const { context, add } = memoryEngine();
  const live = add();
  const { directory } = context.paths.container(live.id);
  renameSync(directory, `${directory}.elsewhere`);
  await expect(removeContainer(context, live, {})).rejects.toThrow('ENOENT');
  renameSync(`${directory}.elsewhere`, directory);

  expect([live.record.state.status, live.removing]).toEqual(['created', false]);
  await startContainer(context, live);
  expect(live.record.state.status).toBe('running');
});
