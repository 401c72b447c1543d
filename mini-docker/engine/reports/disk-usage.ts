// GET /system/df

import type { DiskUsage } from '../../formats/engine-api/system.ts';
import type { VolumeResource } from '../../formats/engine-api/volumes.ts';
import type { Image } from '../../images/image.ts';
import { treeSize } from '../files/disk-sizes.ts';
import { summary } from '../images/images.ts';
import type { EngineContext } from '../state/context.ts';
import { volumeResource } from '../volumes/api.ts';
import { usersOf } from '../volumes/volumes.ts';
import { listContainers } from './list.ts';

export async function diskUsage(context: EngineContext): Promise<DiskUsage> {
  const images = await context.images.list();
  const { filesSize } = context.images.loose;
  const layersOf = (image: Image) => [...new Set(image.config.rootfs.diff_ids)];
  // A layer that several images share lies on disk once.
  const users = new Map<string, number>();
  for (const diffId of images.flatMap(layersOf)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  const sizeOf = (diffIds: Iterable<string>) => [...diffIds].reduce((sum, each) => sum + filesSize(each), 0);
  return {
    LayersSize: sizeOf(users.keys()),
    Images: images
      .map(image => ({
        ...summary(context, image),
        SharedSize: sizeOf(layersOf(image).filter(diffId => users.get(diffId)! > 1)),
      }))
      .sort((a, b) => b.Created - a.Created),
    Containers: await listContainers(context, { all: true, size: true }),
    Volumes: await volumes(context),
    BuildCache: [],
  };
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
