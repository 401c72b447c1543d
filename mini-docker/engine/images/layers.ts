// GET /mini-docker/image-layers: an image as its stack of layers.

import type { ImageLayers, LayerChanges } from '../../formats/engine-api/images.ts';
import { NEVER_TIME } from '../../formats/timestamp.ts';
import { type Changes, layerChanges } from '../../images/layer-changes.ts';
import type { EngineContext } from '../state/context.ts';

export async function imageLayers({ images }: EngineContext, reference: string): Promise<ImageLayers> {
  const image = await images.get(reference);
  const directories = (await images.lowerdirs(image)).toReversed();
  const changes = await layerChanges(directories);
  const lines = new Map(images.history(image).map(line => [line.diffId, line]));
  const Layers = image.config.rootfs.diff_ids.map((diffId, index) => {
    const line = lines.get(diffId);
    const { added, changed, deleted, hidden } = changes[index]!;
    return {
      DiffId: diffId,
      Created: line?.created ?? NEVER_TIME,
      CreatedBy: line?.createdBy || line?.comment || '',
      Size: added.size + changed.size,
      Hidden: hidden,
      Added: asSent(added),
      Changed: asSent(changed),
      Deleted: asSent(deleted),
    };
  });
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    Size: sum(Layers.map(each => each.Size)),
    Hidden: sum(Layers.map(each => each.Hidden)),
    Layers,
  };
}

const asSent = ({ count, size, largest }: Changes): LayerChanges => ({
  Count: count,
  Size: size,
  Largest: largest.map(({ path, size }) => ({ Path: path, Size: size })),
});
