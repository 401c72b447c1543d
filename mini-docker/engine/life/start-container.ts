// POST /containers/ID/start

import { ExpectedError } from '../../formats/errors.ts';
import { noSuchContainer } from '../core/errors.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { handleExit } from './exit.ts';
import { removeLocked } from './removal.ts';
import { startRun } from './start.ts';
import { cancelRestart } from './transitions.ts';

export async function startContainer(context: EngineContext, live: LiveContainer): Promise<void> {
  using _held = await live.lock.acquire();
  const { state, hostConfig } = live.record;
  if (live.removed) throw noSuchContainer(live.name);
  if (live.removing || state.status === 'dead') {
    throw new ExpectedError('conflict', 'container is marked for removal and cannot be started');
  }
  if (state.status === 'paused') {
    throw new ExpectedError('conflict', 'cannot start a paused container, try unpause instead');
  }
  if (live.run !== undefined) throw new ExpectedError('notModified', `container ${live.name} runs already`);
  cancelRestart(live);
  state.restartCount = 0;
  state.manuallyStopped = false;
  try {
    await startRun(context, live, handleExit);
  } catch (error) {
    if (hostConfig.AutoRemove) await removeLocked(context, live, { volumes: true });
    throw error;
  }
}
