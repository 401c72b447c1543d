// DELETE /containers/ID

import { conflict } from '../../formats/errors.ts';
import { SIG } from '../../linux/constants.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { removeHeld } from './removal.ts';
import { endContainer } from './stop.ts';
import { removalAsked, removalFailed, stopAsked } from './transitions.ts';

export interface RemoveOptions {
  force?: boolean;
  volumes?: boolean;
}

export async function removeContainer(
  context: EngineContext,
  live: LiveContainer,
  options: RemoveOptions,
): Promise<void> {
  checkRemovable(live, options);
  {
    live.removalAwaited = true;
    using held = await live.hold();
    live.removalAwaited = false;
    if (live.removed) return;
    // It may have been started during the wait.
    checkRemovable(live, options);
    if (!live.isRunning) return await removeHeld(context, held, { volumes: options.volumes === true });
    removalAsked(held);
  }
  try {
    await endContainer(context, live, { signal: SIG.KILL, timeout: 0, by: 'rm', asked: stopAsked });
    using held = await live.hold();
    if (!live.removed) await removeHeld(context, held, { volumes: options.volumes === true });
  } catch (error) {
    using held = await live.hold();
    removalFailed(held);
    context.records.saveState(live.record);
    throw error;
  }
}

/** @throws conflict when it cannot be removed, in docker's words */
function checkRemovable(live: LiveContainer, { force }: RemoveOptions): void {
  if (live.removing) {
    throw conflict(`removal of container ${live.name} is already in progress`);
  }
  if (!live.isRunning || force) return;
  const { status } = live.record.state;
  const advice =
    status === 'paused' ? 'unpause and then stop the container' : 'stop the container before removing';
  throw conflict(
    `cannot remove container "/${live.name}": container is ${status}: ${advice} or force remove`,
  );
}
