// The images that index.json names, read once and found by name, by id, or by the start of an id.
import { isDigest } from '../formats/digest.ts';
import { decodeImageConfig } from '../formats/image-config.ts';
import { decodeReference, encodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  isIndexType,
  type Manifest,
} from '../formats/oci-image.ts';
import type { Blobs } from './blobs.ts';
import { AmbiguousImage, BadImage, NoSuchImage } from './errors.ts';
import type { Image } from './image.ts';
import type { Layers } from './layers.ts';
import { choosePlatform } from './platform.ts';
import { nameOf, type References } from './references.ts';

export interface CatalogImage extends Image {
  /** Names in full, tags and digests alike: the keys of index.json. */
  names: string[];
  layers: Descriptor[];
}

export interface Catalog {
  images(): CatalogImage[];
  /** Throws NoSuchImage, AmbiguousImage, InvalidReference. `byName` tells whether it was a name that found it. */
  find(reference: string): { image: CatalogImage; byName: string | undefined };
  byId(id: string): CatalogImage | undefined;
}

interface Contents {
  images: CatalogImage[];
  byId: Map<string, CatalogImage>;
  byName: Map<string, CatalogImage>;
}

export function openCatalog(parts: { references: References; blobs: Blobs; layers: Layers }): Catalog {
  const { references, blobs, layers } = parts;
  let read: readonly Descriptor[] | undefined;
  let contents: Contents = { images: [], byId: new Map(), byName: new Map() };
  /** Manifests and configurations never change under their digest. */
  const known = new Map<string, CatalogImage>();

  function current(): Contents {
    const now = references.read();
    if (now !== read) {
      contents = readAll(now);
      read = now;
    }
    return contents;
  }

  function readAll(descriptors: readonly Descriptor[]): Contents {
    const next: Contents = { images: [], byId: new Map(), byName: new Map() };
    for (const descriptor of descriptors) {
      const parsed = readImage(descriptor);
      if (parsed === undefined) continue;
      let image = next.byId.get(parsed.id);
      if (image === undefined) {
        image = withLists(parsed);
        next.byId.set(image.id, image);
        next.images.push(image);
      }
      const name = nameOf(descriptor);
      if (name === undefined || next.byName.has(name)) continue;
      image.names.push(name);
      const reference = decodeReference(name);
      (reference.digest === undefined ? image.repoTags : image.repoDigests).push(
        familiarReference(reference),
      );
      next.byName.set(name, image);
    }
    return next;
  }

  /** undefined for what is no image that can run here, or is broken: one such must not hide the others. */
  function readImage(descriptor: Descriptor): CatalogImage | undefined {
    const cached = known.get(descriptor.digest);
    if (cached !== undefined) return cached;
    try {
      const manifestDescriptor = isIndexType(descriptor.mediaType)
        ? choosePlatform(decodeIndex(blobs.read(descriptor.digest)))
        : descriptor;
      const { mediaType, digest, size } = manifestDescriptor;
      const manifest = decodeManifest(blobs.read(digest));
      const image = imageOf({ mediaType, digest, size }, manifest);
      known.set(descriptor.digest, image);
      return image;
    } catch {
      return undefined;
    }
  }

  function imageOf(descriptor: Descriptor, manifest: Manifest): CatalogImage {
    const config = decodeImageConfig(blobs.read(manifest.config.digest));
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length) {
      throw new BadImage(
        `image ${manifest.config.digest} has ${manifest.layers.length} layers, and diff ids for ${diffIds.length}`,
      );
    }
    return withLists({
      id: manifest.config.digest,
      size: 0,
      config,
      manifest: descriptor,
      layers: manifest.layers,
      names: [],
      repoTags: [],
      repoDigests: [],
    });
  }

  /** A copy with lists of its own. The size of a layer is known better once it is unpacked. */
  const withLists = (image: CatalogImage): CatalogImage => ({
    ...image,
    names: [],
    repoTags: [],
    repoDigests: [],
    get size() {
      const { diff_ids } = image.config.rootfs;
      return diff_ids.reduce(
        (sum, id, index) => sum + (layers.size(id) ?? image.layers[index]?.size ?? 0),
        0,
      );
    },
  });

  return {
    images: () => current().images,
    byId: id => current().byId.get(id),
    find(text) {
      const { byId, byName, images } = current();
      const id = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
      if (isDigest(id)) {
        const image = byId.get(id);
        if (image === undefined) throw new NoSuchImage(text);
        return { image, byName: undefined };
      }
      const reference = withTag(decodeReference(text));
      // name:tag@digest means the digest.
      const { tag, ...withoutTag } = reference;
      const key = encodeReference(reference.digest === undefined ? reference : withoutTag);
      const named = byName.get(key);
      if (named !== undefined) return { image: named, byName: key };
      const prefix = text.replace(/^sha256:/, '');
      const matches = /^[0-9a-f]{1,64}$/.test(prefix)
        ? images.filter(image => image.id.startsWith(`sha256:${prefix}`))
        : [];
      if (matches.length > 1) {
        throw new AmbiguousImage(
          `${matches.length} images have an id that starts with ${prefix}: write more of it`,
        );
      }
      if (matches[0] === undefined) throw new NoSuchImage(familiarReference(reference));
      return { image: matches[0], byName: undefined };
    },
  };
}
