// POST /images/prune: removes unused images.

import type { ImagesPruned } from '../../formats/engine-api/images.ts';
import type { Filters } from '../../formats/engine-api/system.ts';
import { ExpectedError } from '../../formats/errors.ts';
import type { ImagesApi } from '../core/engine.ts';
import { checkFilterKeys, filterTruth } from '../core/filter-values.ts';
import type { EngineContext } from '../state/context.ts';

/** Removes images without a tag; with the filter dangling=false, all images without a container. */
export async function pruneImages(
  { events }: EngineContext,
  images: Pick<ImagesApi, 'list' | 'remove'>,
  filters: Filters,
): Promise<ImagesPruned> {
  checkFilterKeys(filters, ['dangling', 'until', 'label', 'label!']);
  const all = filterTruth(filters, 'dangling') === false;
  const { dangling: _, ...others } = filters;
  const wanted = all ? others : { ...others, dangling: ['true'] };
  const pruned: ImagesPruned = { ImagesDeleted: [], SpaceReclaimed: 0 };
  for (const { Id, RepoTags, RepoDigests, Size, Containers } of await images.list({ filters: wanted })) {
    if (Containers > 0) continue;
    // Removing the last tag removes the digests too.
    const names = RepoTags.length > 0 ? RepoTags : RepoDigests.length > 0 ? RepoDigests : [Id];
    for (const name of names) {
      try {
        const deleted = await images.remove(name, { force: false });
        pruned.ImagesDeleted!.push(...deleted);
        if (deleted.some(each => each.Deleted === Id)) pruned.SpaceReclaimed += Size;
      } catch (error) {
        // Meanwhile a container was created from it, or it was removed.
        if (!(error instanceof ExpectedError) || !['conflict', 'notFound'].includes(error.kind)) throw error;
      }
    }
  }
  const attributes = { reclaimed: String(pruned.SpaceReclaimed) };
  events.emit('image', 'prune', { id: '', attributes });
  return pruned;
}
