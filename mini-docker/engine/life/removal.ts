// How a container goes: out of sight by one rename, then its files. A daemon that is killed in between sweeps the rest
// away when it starts.

import { forceDisconnect } from '../networks/connections.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { retireRecord } from '../state/record-file.ts';
import { removeAnonymousVolumes } from '../volumes/volumes.ts';
import { cancelRestart } from './transitions.ts';

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
