// Removing a container: out of sight by one rename, then its files. A daemon that is killed in between sweeps the rest
// away when it starts.

import { SIG } from '../../linux/constants.ts';
import { EngineError } from '../core/errors.ts';
import { forceDisconnect } from '../networks/connections.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { retireRecord } from '../state/record-file.ts';
import { removeAnonymousVolumes } from '../volumes/volumes.ts';
import { cancelRestart } from './exit.ts';
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
    throw new EngineError('conflict', `removal of container ${live.name} is already in progress`);
  }
  if (live.isRunning && !options.force) {
    const { status } = live.record.state;
    const advice =
      status === 'paused' ? 'unpause and then stop the container' : 'stop the container before removing';
    throw new EngineError(
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

/** The caller holds the lock; the program does not run. */
export async function removeLocked(
  context: EngineContext,
  live: LiveContainer,
  options: { volumes: boolean },
): Promise<void> {
  const { record } = live;
  live.removing = true;
  cancelRestart(live);
  const before = record.state.status;
  record.state.status = 'removing';
  let retired: string;
  try {
    retired = retireRecord(context.paths, live.id);
  } catch (error) {
    record.state.status = before;
    live.removing = false;
    throw error;
  }
  context.records.forget(live.id);
  context.containers.delete(live);
  // Others may still live in its network namespace.
  if (context.networks.endpoints(live.id).length > 0) await forceDisconnect(context, record);
  if (options.volumes) await removeAnonymousVolumes(context, record);
  for (const client of [...live.clients]) client.end();
  context.deletions.begin(retired);
  live.tellRemoval();
  containerEvent(context, live, 'destroy');
}
