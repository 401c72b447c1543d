// DELETE /containers/ID

import { ExpectedError } from '../../formats/errors.ts';
import { SIG } from '../../linux/constants.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { removeLocked } from './removal.ts';
import { endContainer } from './stop.ts';

export interface RemoveOptions {
  force?: boolean;
  volumes?: boolean;
}

export async function removeContainer(
  context: EngineContext,
  live: LiveContainer,
  options: RemoveOptions,
): Promise<void> {
  if (live.removing) {
    throw new ExpectedError('conflict', `removal of container ${live.name} is already in progress`);
  }
  if (live.isRunning && !options.force) {
    const { status } = live.record.state;
    const advice =
      status === 'paused' ? 'unpause and then stop the container' : 'stop the container before removing';
    throw new ExpectedError(
      'conflict',
      `cannot remove container "/${live.name}": container is ${status}: ${advice} or force remove`,
    );
  }
  live.removing = true;
  try {
    if (live.isRunning) {
      live.record.state.manuallyStopped = true;
      await endContainer(context, live, { signal: SIG.KILL, timeout: 0 });
    }
    using _held = await live.lock.acquire();
    if (!live.removed) await removeLocked(context, live, { volumes: options.volumes === true });
  } catch (error) {
    live.removing = false;
    throw error;
  }
}
