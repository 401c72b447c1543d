// GET /system/df

import type { DiskUsage } from '../../formats/engine-api/system.ts';
import type { VolumeResource } from '../../formats/engine-api/volumes.ts';
import { treeSize } from '../files/disk-sizes.ts';
import { summary } from '../images/images.ts';
import type { EngineContext } from '../state/context.ts';
import { volumeResource } from '../volumes/api.ts';
import { usersOf } from '../volumes/volumes.ts';
import { listContainers } from './list.ts';

export async function diskUsage(context: EngineContext): Promise<DiskUsage> {
  const images = await context.images.list();
  // A layer that several images share lies on disk once.
  const layers = new Set(images.flatMap(image => image.config.rootfs.diff_ids));
  const shared = images.reduce((sum, image) => sum + image.config.rootfs.diff_ids.length, 0) > layers.size;
  return {
    LayersSize: shared ? await sizeOnDisk(context) : images.reduce((sum, image) => sum + image.size, 0),
    Images: images.map(image => ({ ...summary(context, image), SharedSize: 0 })),
    Containers: await listContainers(context, { all: true, size: true }),
    Volumes: await volumes(context),
    BuildCache: [],
  };
}

async function sizeOnDisk(context: EngineContext): Promise<number> {
  const seen = new Set<string>();
  let sum = 0;
  for (const image of await context.images.list()) {
    for (const directory of await context.images.lowerdirs(image)) {
      if (seen.has(directory)) continue;
      seen.add(directory);
      sum += await treeSize(directory);
    }
  }
  return sum;
}

async function volumes(context: EngineContext): Promise<VolumeResource[]> {
  return Promise.all(
    context.volumes.list().map(async volume => ({
      ...volumeResource(context, volume),
      UsageData: {
        RefCount: usersOf(context, volume.name).length,
        Size: await treeSize(context.volumes.dataPath(volume.name)),
      },
    })),
  );
}
