// Engine.builds: gives the builder the machine's services, and turns its errors into the engine's.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from '../../build/build.ts';
import { openStepCache } from '../../build/cache.ts';
import { CacheMounts } from '../../build/cache-mounts.ts';
import { cacheUsage, pruneCache } from '../../build/prune.ts';
import type { BuildHost } from '../../build/workspace.ts';
import type { BuildCacheItem } from '../../formats/engine-api/build.ts';
import { untilTime } from '../../formats/filters.ts';
import { decodeReference, familiarReference, withTag } from '../../formats/image-reference.ts';
import { quietly } from '../../formats/quietly.ts';
import { ensureDirectory, readRegular, sweep } from '../../linux/kept-file.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { BuildsApi } from '../core/engine.ts';
import { imageEvent } from '../images/events.ts';
import { progressReporter } from '../images/progress.ts';
import type { EngineContext } from '../state/context.ts';
import { keepContainer } from './kept.ts';
import { prepareRun } from './run.ts';

export interface Builds {
  api: BuildsApi;
  usage(): BuildCacheItem[];
}

/** Removes the leftovers of an earlier daemon's builds. */
export async function openBuilds(context: EngineContext): Promise<Builds> {
  const root = join(context.paths.dataRoot, 'build');
  const directory = join(root, 'tmp');
  const runDirectory = join(context.paths.runDir, 'build');
  await endRuns(context, runDirectory);
  for (const each of [directory, runDirectory]) {
    ensureDirectory(each, { mode: 0o711, tell: context.tell });
    sweep(each, { unwanted: () => true, tell: context.tell });
  }
  const { images, runtime } = context;
  const host: BuildHost = {
    images,
    runtime,
    cache: openStepCache(root, images.loose, context.tell),
    cacheMounts: new CacheMounts(join(root, 'cache-mounts'), context.tell),
    directory,
    runDirectory,
    openView: openMergedView,
    progressReporter,
    keepContainer: kept => keepContainer(context, kept),
    newId: () => context.containers.newId(),
    async prepareRun(request) {
      const prepared = await prepareRun(context, request);
      // If this daemon is killed, the next one finds the control group by this file.
      const path = join(request.runDirectory, CGROUP_FILE);
      writeFileSync(path, prepared.spec.linux.cgroupsPath);
      return prepared;
    },
  };
  return {
    api: {
      async build(request) {
        const signal = AbortSignal.any([request.signal, context.closing]);
        const image = await buildImage(host, { ...request, signal });
        for (const tag of request.tags) {
          const name = familiarReference(withTag(decodeReference(tag)));
          imageEvent(context, 'tag', { ...image, name });
        }
      },
      async prune({ keep, filters = {} }) {
        // Steps have no labels, so none of them has this one.
        if (filters.label !== undefined) return { CachesDeleted: [], SpaceReclaimed: 0 };
        const until = filters.until?.[0];
        const { deleted, reclaimed } = await pruneCache(host, {
          ...(keep === undefined ? {} : { keep }),
          ...(until === undefined ? {} : { until: Number(untilTime(until) / 1_000_000n) }),
        });
        return { CachesDeleted: deleted, SpaceReclaimed: reclaimed };
      },
    },
    usage: () => cacheUsage(host).map(cacheItem),
  };
}

const CGROUP_FILE = 'cgroup';

async function endRuns(context: EngineContext, runDirectory: string): Promise<void> {
  for (const build of entries(runDirectory)) {
    for (const name of entries(join(runDirectory, build))) {
      const directory = join(runDirectory, build, name);
      try {
        const cgroupsPath = readRegular(join(directory, CGROUP_FILE)).toString();
        await context.runtime.discard({ directory, cgroupsPath });
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ENOTDIR') context.warn(`a build's container: ${message}`);
      }
    }
  }
}

function entries(directory: string): string[] {
  return quietly(() => readdirSync(directory)) ?? [];
}

function cacheItem(each: ReturnType<typeof cacheUsage>[number]): BuildCacheItem {
  return {
    ID: each.key,
    Type: 'regular',
    Description: each.did,
    InUse: false,
    Shared: false,
    Size: each.size,
    CreatedAt: each.created,
    LastUsedAt: new Date(each.used).toISOString(),
    UsageCount: each.uses,
  };
}
