import { existsSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { becomes, memoryEngine } from '../testing/memory-engine.ts';
import { removeContainer } from './remove.ts';
import { waitFor } from './wait.ts';

const always = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } as const;

test('an exit is recorded and reported to waiting clients, and its resources are released', async () => {
  const { context, start, runtime, events } = memoryEngine();
  const live = await start();
  const { result } = waitFor(context, live, {});
  runtime.latest.end(3);

  expect(await result).toEqual({ StatusCode: 3 });
  expect(live.record.state).toMatchObject({ status: 'exited', exitCode: 3, pid: 0 });
  using _dealtWith = await live.hold();
  expect(runtime.latest.deleted).toBe(true);
  expect(existsSync(context.paths.container(live.id).run)).toBe(false);
  expect(await events()).toEqual(['start', 'die']);
});

test('a container that is removed as soon as its exit is told is not saved once more', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  const saved = vi.spyOn(context.records, 'saveState');
  const { result } = waitFor(context, live, {});
  runtime.latest.end(0);
  await result;
  // Until then the run directory tells it to the next daemon.
  expect(existsSync(context.paths.container(live.id).run)).toBe(true);
  await removeContainer(context, live, {});

  expect(saved).not.toHaveBeenCalled();
  expect(existsSync(context.paths.container(live.id).run)).toBe(false);
});

test('an unknown exit code is not made up', async () => {
  const { start, runtime } = memoryEngine();
  const live = await start();
  runtime.latest.end(undefined);
  await becomes(live, 'exited');

  expect(live.record.state).toMatchObject({ exitCode: 255, exitUnknown: true });
  expect(live.record.state.error).toContain('not known');
});

test('a policy starts it again as often as it says', async () => {
  const { start, runtime } = memoryEngine();
  const live = await start({ host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } });
  for (const made of [2, 3]) {
    runtime.latest.end(1);
    await becomes(live, 'restarting');
    await becomes(live, 'running');
    expect(runtime.containers).toHaveLength(made);
  }
  runtime.latest.end(1);
  await becomes(live, 'exited');

  expect(live.record.state.restartCount).toBe(2);
  expect(live.restartTimer).toBeUndefined();
});

test('a restart that fails is tried again', async () => {
  const { start, runtime, warnings } = memoryEngine();
  const live = await start({ host: always });
  runtime.failure = new Error('no memory just now');
  runtime.latest.end(0);
  await becomes(live, 'restarting');
  await becomes(live, 'running');

  expect(live.record.state.restartCount).toBe(2);
  expect(warnings).toEqual([expect.stringContaining('no memory just now')]);
});

test('--rm removes it at its end, and clients that wait for the removal are told', async () => {
  const { context, start, runtime, events } = memoryEngine();
  const live = await start({ host: { AutoRemove: true } });
  const { result } = waitFor(context, live, { condition: 'removed' });
  runtime.latest.end(0);
  await result;

  expect(context.containers.size).toBe(0);
  expect(existsSync(context.paths.container(live.id).directory)).toBe(false);
  expect(await events()).toEqual(['start', 'die', 'destroy']);
});
