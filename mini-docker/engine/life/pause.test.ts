import { expect, test } from 'vitest';
import { memoryEngine } from '../testing/memory-engine.ts';
import { frozen, pauseContainer, unpauseContainer } from './pause.ts';
import { stopContainer } from './stop.ts';

test('a container that is frozen for a moment is thawed, and a stop waits for that', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  let stopping: Promise<void>;
  {
    await using _frozen = await frozen(context, live);
    stopping = stopContainer(context, live, {});
    expect([runtime.latest.frozen, live.record.state.status]).toEqual([true, 'running']);
    expect(runtime.latest.signals).toEqual([]);
  }
  await stopping;

  expect(live.record.state.status).toBe('exited');
});

test('what does not thaw again is shown as paused, and can be resumed later', async () => {
  const { context, start, runtime, warnings, events } = memoryEngine();
  const live = await start();
  {
    await using _frozen = await frozen(context, live);
    runtime.latest.stuck = new Error('the freezer is busy');
  }
  expect(live.record.state.status).toBe('paused');
  expect(warnings).toEqual([expect.stringMatching(/web stays paused.*the freezer is busy/)]);
  expect(await events()).toEqual(['start', 'pause']);
  runtime.latest.stuck = undefined;
  await unpauseContainer(context, live);

  expect([runtime.latest.frozen, live.record.state.status]).toEqual([false, 'running']);
});

test('a container that the user has paused stays so', async () => {
  const { context, start, runtime } = memoryEngine();
  const live = await start();
  await pauseContainer(context, live);
  {
    await using _frozen = await frozen(context, live);
  }

  expect([runtime.latest.frozen, live.record.state.status]).toEqual([true, 'paused']);
});
