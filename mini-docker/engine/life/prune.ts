// POST /containers/prune: removes containers that are not running.

import type { ContainersPruned, Filters } from '../../formats/engine-api/system.ts';
import { ExpectedError } from '../../formats/errors.ts';
import { matchesLabels, untilTime } from '../../formats/filters.ts';
import { decodeTimestamp } from '../../formats/timestamp.ts';
import { checkFilterKeys } from '../core/filter-values.ts';
import { sizesOf } from '../files/disk-sizes.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { removeContainer } from './remove.ts';

export async function pruneContainers(context: EngineContext, filters: Filters): Promise<ContainersPruned> {
  const isWanted = pruneFilter(filters);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const live of [...context.containers]) {
    if (live.isRunning || live.removing || !isWanted(live)) continue;
    const { SizeRw } = await sizesOf(context, live);
    try {
      await removeContainer(context, live, {});
    } catch (error) {
      // Meanwhile it was started, or removed by another client.
      if (error instanceof ExpectedError) continue;
      throw error;
    }
    deleted.push(live.id);
    reclaimed += SizeRw;
  }
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}

function pruneFilter(filters: Filters): (live: LiveContainer) => boolean {
  checkFilterKeys(filters, ['until', 'label', 'label!']);
  const until = filters.until?.map(untilTime);
  return ({ record }) => {
    const labels = record.config.Labels ?? {};
    const created = decodeTimestamp(record.created) ?? 0n;
    return (until?.every(time => created < time) ?? true) && matchesLabels(labels, filters);
  };
}
