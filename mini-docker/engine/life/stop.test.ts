import { expect, test } from 'vitest';
import { SIG } from '../../linux/constants.ts';
import { becomes, memoryEngine } from '../testing/memory-engine.ts';
import { pauseContainer } from './pause.ts';
import { removeContainer } from './remove.ts';
import { killContainer, restartContainer, stopContainer } from './stop.ts';

test('stop asks, waits for the end, and keeps the policy from starting it again', async () => {
  const { context, start, runtime, events } = memoryEngine();
  const live = await start({ host: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } });
  await stopContainer(context, live, {});

  expect(runtime.latest.signals).toEqual([SIG.TERM]);
  expect(live.record.state).toMatchObject({ status: 'exited', exitCode: 143, pid: 0, manuallyStopped: true });
  expect(live.restartTimer).toBeUndefined();
  expect(await events()).toEqual(['start', 'kill', 'die', 'stop']);
});

test('a program that ignores the signal is killed when the time is up', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  runtime.latest.endsOn.clear();
  await stopContainer(context, live, { timeout: 0.02 });

  expect(runtime.latest.signals).toEqual([SIG.TERM, SIG.KILL]);
  expect(live.record.state.exitCode).toBe(137);
});

test('stop ends a restart that waits', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start({ host: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } });
  runtime.latest.end(1);
  await becomes(live, 'restarting');
  await stopContainer(context, live, {});

  expect(live.record.state.status).toBe('exited');
  expect(live.restartTimer).toBeUndefined();
});

test('stop leaves alone what does not run', async () => {
  const { context, add } = memoryEngine();
  const live = add();

  await expect(stopContainer(context, live, {})).rejects.toMatchObject({ kind: 'notModified' });
  expect(live.record.state.manuallyStopped).toBe(false);
});

test('kill ends what is paused, too', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  await pauseContainer(context, live);
  await killContainer(context, live, undefined);

  expect(runtime.latest.frozen).toBe(false);
  expect(live.record.state).toMatchObject({ status: 'exited', exitCode: 137 });
});

test('restart starts it again, even with --rm', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start({ host: { AutoRemove: true } });
  const [first] = runtime.containers;
  await restartContainer(context, live, {});

  expect(first?.deleted).toBe(true);
  expect(live.run?.container).toBe(runtime.containers[1]);
  expect(live.record.state).toMatchObject({ status: 'running', manuallyStopped: false, restartCount: 0 });
  expect([live.restarting, live.removed]).toEqual([false, false]);
});

test('restart does not start what is being removed', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  runtime.latest.endsOn.clear();
  const removing = removeContainer(context, live, { force: true });
  await expect(restartContainer(context, live, {})).rejects.toThrow(/marked for removal|No such container/);
  await removing;

  expect(runtime.containers).toHaveLength(1);
  expect(live.removed).toBe(true);
});
