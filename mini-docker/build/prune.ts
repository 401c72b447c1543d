// What earlier builds left for later ones, counted and taken away.
import type { CacheRecord } from './cache.ts';
import type { BuildHost } from './workspace.ts';

export interface CacheUsage extends CacheRecord {
  /** Bytes of the files of its layer. */
  size: number;
}

export function cacheUsage({ cache, images }: Pick<BuildHost, 'cache' | 'images'>): CacheUsage[] {
  return cache.records().map(record => ({
    ...record,
    size: record.diffId === undefined ? 0 : images.loose.filesSize(record.diffId),
  }));
}

export interface PruneOptions {
  /** Bytes that may stay: of what was used last. */
  keep?: number;
  /** Only what was last used before: milliseconds since 1970. */
  until?: number;
}

/** Gives the keys, and the bytes of layers that no image has either. */
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
  host.cache.remove(gone.map(each => each.key));
  const diffIds = gone.flatMap(each => (each.diffId === undefined ? [] : [each.diffId]));
  const removed = await host.images.loose.collect(diffIds);
  if (keep === 0 && until === undefined) await host.cacheMounts.prune();
  const reclaimed = removed.reduce((sum, diffId) => sum + (sizes.get(diffId) ?? 0), 0);
  return { deleted: gone.map(each => each.key), reclaimed };
}
