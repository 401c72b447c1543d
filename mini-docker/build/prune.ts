// Lists and removes what earlier builds left in the cache.
import type { CacheRecord } from './cache.ts';
import type { BuildHost } from './workspace.ts';

export interface CacheUsage extends CacheRecord {
  /** Size of the files in its layer, in bytes. */
  size: number;
}

export function cacheUsage({ cache, images }: Pick<BuildHost, 'cache' | 'images'>): CacheUsage[] {
  return cache.records().map(record => ({
    ...record,
    size: record.diffId === undefined ? 0 : images.loose.filesSize(record.diffId),
  }));
}

export interface PruneOptions {
  /** Bytes to keep; the most recently used steps stay. */
  keep?: number;
  /** Time in milliseconds since 1970: only steps last used before it are removed. */
  until?: number;
}

/** Removes steps; returns their keys and the bytes of their layers that no image uses. */
export async function pruneCache(
  host: Pick<BuildHost, 'cache' | 'cacheMounts' | 'images'>,
  { keep = 0, until }: PruneOptions,
): Promise<{ deleted: string[]; reclaimed: number }> {
  let kept = 0;
  const gone = cacheUsage(host)
    .sort((a, b) => b.used - a.used)
    .filter(each => {
      if (until !== undefined && each.used >= until) return false;
      kept += each.size;
      return kept > keep || keep === 0;
    });
  const sizes = new Map(gone.map(each => [each.diffId, each.size]));
  const diffIds = gone.flatMap(each => (each.diffId === undefined ? [] : [each.diffId]));
  host.images.loose.leaving(diffIds);
  host.cache.remove(gone.map(each => each.key));
  const removed = await host.images.loose.collect(diffIds);
  if (keep === 0 && until === undefined) await host.cacheMounts.prune();
  const reclaimed = removed.reduce((sum, diffId) => sum + (sizes.get(diffId) ?? 0), 0);
  return { deleted: gone.map(each => each.key), reclaimed };
}
