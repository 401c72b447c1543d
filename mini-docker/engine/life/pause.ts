// Freezing processes: POST /containers/ID/pause and /unpause, and during a commit.

import { conflict } from '../../formats/errors.ts';
import { notRunning } from '../core/errors.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { paused, resumed } from './transitions.ts';

export async function pauseContainer(context: EngineContext, live: LiveContainer): Promise<void> {
  using held = await live.hold();
  const { state } = live.record;
  if (state.status === 'paused') throw conflict(`Container ${live.name} is already paused`);
  if (state.status === 'restarting') {
    throw conflict(`Container ${live.name} is restarting, wait until the container is running`);
  }
  if (live.run === undefined) throw notRunning(live.id);
  await live.run.container.pause();
  paused(held);
  context.records.saveState(live.record);
  containerEvent(context, live, 'pause');
}

export async function unpauseContainer(context: EngineContext, live: LiveContainer): Promise<void> {
  using held = await live.hold();
  const { state } = live.record;
  if (live.run === undefined || state.status !== 'paused') {
    throw conflict(`Container ${live.id} is not paused`);
  }
  await live.run.container.resume();
  resumed(held);
  context.records.saveState(live.record);
  containerEvent(context, live, 'unpause');
}

/**
 * Freezes the processes, so that the files are of one moment, and holds off other pauses. Disposing of the
 * result thaws them; if that fails, the container is shown as paused.
 */
export async function frozen(context: EngineContext, live: LiveContainer): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const held = stack.use(await live.hold());
  const { run } = live;
  if (run === undefined || live.record.state.status !== 'running') return stack.move();
  // Without control groups nothing can be frozen; as in Docker, the files are then taken while they change.
  if (context.facts.noLimits !== undefined) return stack.move();
  await run.container.pause();
  stack.defer(async () => {
    try {
      await run.container.resume();
    } catch (error) {
      context.warn(
        `container ${live.name} stays paused, try unpause: it cannot be resumed: ${(error as Error).message}`,
      );
      paused(held);
      context.records.saveState(live.record);
      containerEvent(context, live, 'pause');
    }
  });
  return stack.move();
}
