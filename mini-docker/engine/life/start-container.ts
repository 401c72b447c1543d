// POST /containers/ID/start

import { conflict, notModified } from '../../formats/errors.ts';
import { noSuchContainer } from '../core/errors.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { handleExit } from './exit.ts';
import { removeHeld } from './removal.ts';
import { hasPolicy } from './restart-policy.ts';
import { startRun } from './start.ts';
import { startAsked } from './transitions.ts';

export async function startContainer(context: EngineContext, live: LiveContainer): Promise<void> {
  using held = await live.hold();
  const { state, hostConfig } = live.record;
  if (live.removed) throw noSuchContainer(live.name);
  if (live.record.broken !== undefined) {
    throw conflict(
      `container ${live.name} cannot be started: its record cannot be read (${live.record.broken}); remove it and make it anew`,
    );
  }
  if (live.removing || state.status === 'dead') {
    throw conflict('container is marked for removal and cannot be started');
  }
  if (state.status === 'paused') {
    throw conflict('cannot start a paused container, try unpause instead');
  }
  if (live.run !== undefined) throw notModified(`container ${live.name} runs already`);
  await live.onDisk;
  startAsked(held);
  try {
    await startRun(context, held, handleExit);
  } catch (error) {
    if (hostConfig.AutoRemove) await removeHeld(context, held, { volumes: true });
    throw error;
  }
  // After a power cut, too, it starts with the daemon.
  if (!hasPolicy(live.record)) return;
  context.records.saveState(live.record);
  await context.records.settled(live.id);
}
