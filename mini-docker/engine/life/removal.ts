// Removes a container: one rename takes it out of sight, then its files are deleted. If the daemon is killed
// in between, the next one deletes the rest.

import { removeTreeNow } from '../../linux/remove-tree.ts';
import { forceDisconnect } from '../networks/connections.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { Held } from '../state/live-container.ts';
import { retireRecord } from '../state/record-file.ts';
import { removeAnonymousVolumes } from '../volumes/volumes.ts';
import { removed, removing } from './transitions.ts';

/** Removes a container whose program is not running. */
export async function removeHeld(
  context: EngineContext,
  held: Held,
  options: { volumes: boolean },
): Promise<void> {
  const { live } = held;
  const { record } = live;
  const undo = removing(held);
  let retired: string;
  try {
    retired = retireRecord(context.paths, live.id);
  } catch (error) {
    undo();
    throw error;
  }
  context.records.forget(live.id);
  removeTreeNow(context.paths.container(live.id).run);
  context.containers.delete(live);
  // Other containers may still be in its network namespace.
  if (context.networks.endpoints(live.id).length > 0) await forceDisconnect(context, record);
  if (options.volumes) await removeAnonymousVolumes(context, record);
  for (const client of [...live.clients]) client.end();
  context.deletions.begin(retired, live.unmounted);
  removed(held);
  live.tellRemoval();
  containerEvent(context, live, 'destroy');
}
