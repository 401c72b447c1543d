// Layers that belong to no image yet, and the images that a build makes from them.

import { encodeJson, type Manifest, MEDIA } from '../formats/oci/image.ts';
import type { ImageConfig } from '../formats/oci/image-config.ts';
import type { CatalogImage } from './catalog.ts';
import type { Content } from './content.ts';
import { fullNames } from './create.ts';
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

    assemble: options => assemble(content, options),
  };

  async function assemble(
    { holding, add: addImage }: Content,
    { base, layers: own, config, references }: AssembleOptions,
  ): Promise<Image> {
    const names = fullNames(references);
    const below = base === undefined ? undefined : catalog.byId(base.id);
    if (base !== undefined && below === undefined) throw new ImageError(`image ${base.id} is gone`);
    return holding(async hold => {
      const stored = blobs.put(encodeJson(config));
      hold(stored.digest);
      const manifest: Manifest = {
        schemaVersion: 2,
        mediaType: MEDIA.ociManifest,
        config: { mediaType: MEDIA.ociConfig, ...stored },
        layers: [...layersOf(below, config), ...own.map(descriptorOf)],
      };
      const fresh = new Set(own.map(each => each.diffId));
      return addImage({
        manifest: encodeJson(manifest),
        mediaType: MEDIA.ociManifest,
        names,
        fresh,
        parent: below?.id,
      });
    });
  }
}

const descriptorOf = ({ diffId, size }: LooseLayer) => ({ mediaType: MEDIA.ociLayer, digest: diffId, size });

function layersOf(below: CatalogImage | undefined, { rootfs }: ImageConfig): Manifest['layers'] {
  const found = below?.layers ?? [];
  const same = found.every((_, index) => below?.config.rootfs.diff_ids[index] === rootfs.diff_ids[index]);
  if (!same) throw new ImageError('the image does not begin with the layers of the one it is built on');
  return found;
}
