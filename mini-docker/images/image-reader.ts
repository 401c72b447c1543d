// From an entry of index.json to its image: the manifest for this machine, and the configuration.
import { type Descriptor, decodeIndex, decodeManifest, isIndexType } from '../formats/oci/image.ts';
import { decodeImageConfig, type ImageConfig } from '../formats/oci/image-config.ts';
import type { Tell } from '../linux/kept-file.ts';
import type { Blobs } from './blobs.ts';
import { ImageError } from './errors.ts';
import { choosePlatform } from './platform.ts';
import { nameOf } from './references.ts';

export interface ParsedImage {
  id: string;
  config: ImageConfig;
  manifest: Descriptor;
  layers: Descriptor[];
}

/**
 * Returns a function that reads one image; undefined when it is not for this machine, or is broken. A broken
 * one is told of once, and must not hide the others.
 */
export function imageReader({
  blobs,
  tell,
}: {
  blobs: Blobs;
  tell: Tell;
}): (descriptor: Descriptor) => ParsedImage | undefined {
  const told = new Set<string>();
  /** A cache: manifests and configurations never change under their digest. */
  const known = new Map<string, ParsedImage>();
  return descriptor => {
    const cached = known.get(descriptor.digest);
    if (cached !== undefined) return cached;
    try {
      const image = parse(blobs, descriptor);
      known.set(descriptor.digest, image);
      return image;
    } catch (error) {
      if (!told.has(descriptor.digest)) {
        const name = nameOf(descriptor) ?? descriptor.digest;
        tell(`the image ${name} cannot be read and is not shown: ${(error as Error).message}`);
      }
      told.add(descriptor.digest);
      return undefined;
    }
  };
}

function parse(blobs: Blobs, descriptor: Descriptor): ParsedImage {
  const { mediaType, digest, size } = isIndexType(descriptor.mediaType)
    ? choosePlatform(decodeIndex(blobs.read(descriptor.digest)))
    : descriptor;
  const { config, layers } = decodeManifest(blobs.read(digest));
  const image = decodeImageConfig(blobs.read(config.digest));
  const diffIds = image.rootfs.diff_ids;
  if (diffIds.length !== layers.length) {
    throw new ImageError(
      `image ${config.digest} has ${layers.length} layers, and diff ids for ${diffIds.length}`,
    );
  }
  return { id: config.digest, config: image, manifest: { mediaType, digest, size }, layers };
}
