// Layers that belong to no image yet, and the images that a build makes from them.

import { MEDIA } from '../formats/oci/image.ts';
import type { ImageConfig } from '../formats/oci/image-config.ts';
import type { CatalogImage } from './catalog.ts';
import type { Content } from './content.ts';
import { fullNames, store } from './create.ts';
import { decompressed } from './decompress.ts';
import { ImageError } from './errors.ts';
import type { AssembleOptions, Image, LooseLayer, LooseLayers } from './image.ts';

export function looseLayers(content: Content): LooseLayers {
  const { blobs, layers, catalog } = content;

  function find(diffId: string): LooseLayer | undefined {
    const size = blobs.size(diffId);
    return size === undefined || !layers.has(diffId) ? undefined : { diffId, size };
  }

  const add: LooseLayers['add'] = (tar, hold) =>
    content.holding(async mine => {
      // Uncompressed: its digest is its diff id.
      const { digest, size } = await blobs.receive(tar);
      mine(digest);
      await layers.unpack({ diffId: digest, source: () => blobs.stream(digest), verified: true });
      hold(digest);
      return { diffId: digest, size };
    });

  return {
    find,
    directory: layers.directory,
    filesSize: diffId => layers.size(diffId) ?? 0,
    keep: digests => void content.kept.add(digests),
    leaving: digests => content.leaving(digests),
    collect: digests => content.collect(digests),
    holding: content.holding,

    tar: diffId => blobs.stream(diffId),
    add,

    async layerOf(image, { index, hold }) {
      const diffId = image.config.rootfs.diff_ids[index];
      const stored = catalog.byId(image.id)?.layers[index];
      if (diffId === undefined || stored === undefined) return undefined;
      const layer = find(diffId) ?? (await add(decompressed(blobs.stream(stored.digest)), hold));
      if (layer.diffId !== diffId)
        throw new ImageError(`layer ${stored.digest} of image ${image.id} is not the one that it was`);
      hold(diffId);
      return layer;
    },

    assemble,
  };

  async function assemble({ base, layers, config, references }: AssembleOptions): Promise<Image> {
    const names = fullNames(references);
    const below = base === undefined ? undefined : catalog.byId(base.id);
    if (base !== undefined && below === undefined) throw new ImageError(`image ${base.id} is gone`);
    requireLayersOf(below, config);
    const added = layers.map(descriptorOf);
    return content.holding(async hold => store(content, { config, below, added, names, hold }));
  }
}

const descriptorOf = ({ diffId, size }: LooseLayer) => ({ mediaType: MEDIA.ociLayer, digest: diffId, size });

function requireLayersOf(below: CatalogImage | undefined, { rootfs }: ImageConfig): void {
  const same = (below?.layers ?? []).every(
    (_, index) => below?.config.rootfs.diff_ids[index] === rootfs.diff_ids[index],
  );
  if (!same) throw new ImageError('the image does not begin with the layers of the one it is built on');
}
