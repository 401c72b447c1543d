// The images in index.json, read once, and found by name, by id, or by a prefix of the id.

import { decodeReference, encodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { isDigest } from '../formats/oci/digest.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  isIndexType,
  type Manifest,
} from '../formats/oci/image.ts';
import { decodeImageConfig } from '../formats/oci/image-config.ts';
import type { Tell } from '../linux/kept-file.ts';
import type { Blobs } from './blobs.ts';
import { ImageError, noSuchImage } from './errors.ts';
import type { Image } from './image.ts';
import type { Layers } from './layers.ts';
import { parentOf } from './parents.ts';
import { choosePlatform } from './platform.ts';
import { nameOf, type References, taggedAt } from './references.ts';

export interface CatalogImage extends Image {
  /** Full names, both tags and digests: the keys of index.json. */
  names: string[];
  layers: Descriptor[];
}

/**
 * An image may have several manifests, which describe its layers in different forms (compressed or not, OCI's
 * or docker's). Each of its names stands for one of them; a variant is the image with one of its manifests.
 */
export interface Catalog {
  /** One entry for each id. */
  images(): CatalogImage[];
  /** One entry for each manifest. */
  variants(): Iterable<CatalogImage>;
  /** `byName` tells whether a name matched. @throws ImageError, FormatError when there is no such image */
  find(reference: string): { image: CatalogImage; byName: string | undefined };
  byId(id: string): CatalogImage | undefined;
  byManifest(digest: string): CatalogImage | undefined;
  /** All of an image's entries in index.json: one for each name. */
  descriptorsOf(id: string): Descriptor[];
  /** The id of a descriptor's image; undefined when it is not an image. */
  idOf(descriptor: Descriptor): string | undefined;
}

interface Contents {
  images: CatalogImage[];
  byManifest: Map<string, CatalogImage>;
  byId: Map<string, CatalogImage>;
  byName: Map<string, CatalogImage>;
  /** Parents by the child's id. */
  parents: Map<string, string>;
  /** Times of the latest tags by the image's id. */
  tagged: Map<string, string>;
}

type Names = Pick<CatalogImage, 'names' | 'repoTags' | 'repoDigests'>;
type ParsedImage = Omit<CatalogImage, keyof Names | 'size'>;

const emptyContents = (): Contents => ({
  images: [],
  byManifest: new Map(),
  byId: new Map(),
  byName: new Map(),
  parents: new Map(),
  tagged: new Map(),
});

export function openCatalog(parts: {
  references: References;
  blobs: Blobs;
  layers: Layers;
  tell: Tell;
}): Catalog {
  const { references, blobs, layers, tell } = parts;
  const told = new Set<string>();
  let read: readonly Descriptor[] | undefined;
  let contents = emptyContents();
  /** A cache: manifests and configurations never change under their digest. */
  const known = new Map<string, ParsedImage>();

  function current(): Contents {
    const now = references.read();
    if (now !== read) {
      contents = readAll(now);
      read = now;
    }
    return contents;
  }

  function readAll(descriptors: readonly Descriptor[]): Contents {
    const next = emptyContents();
    for (const descriptor of descriptors) {
      const parsed = readImage(descriptor);
      if (parsed === undefined) continue;
      let image = next.byManifest.get(parsed.manifest.digest);
      if (image === undefined) {
        const first = next.byId.get(parsed.id);
        image = withLists(parsed, first ?? { names: [], repoTags: [], repoDigests: [] });
        next.byManifest.set(parsed.manifest.digest, image);
        if (first === undefined) {
          next.byId.set(image.id, image);
          next.images.push(image);
        }
      }
      const parent = parentOf(descriptor);
      if (parent !== undefined) next.parents.set(image.id, parent);
      const { tagged } = next;
      const at = taggedAt(descriptor);
      if (at > (tagged.get(image.id) ?? '')) tagged.set(image.id, at);
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

  /**
   * undefined when it is not an image for this machine, or is broken: a single one must not hide the others.
   */
  function readImage(descriptor: Descriptor): ParsedImage | undefined {
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
    } catch (error) {
      if (!told.has(descriptor.digest)) {
        const name = nameOf(descriptor) ?? descriptor.digest;
        tell(`the image ${name} cannot be read and is not shown: ${(error as Error).message}`);
      }
      told.add(descriptor.digest);
      return undefined;
    }
  }

  function imageOf(descriptor: Descriptor, manifest: Manifest): ParsedImage {
    const config = decodeImageConfig(blobs.read(manifest.config.digest));
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length) {
      throw new ImageError(
        `image ${manifest.config.digest} has ${manifest.layers.length} layers, and diff ids for ${diffIds.length}`,
      );
    }
    return { id: manifest.config.digest, config, manifest: descriptor, layers: manifest.layers };
  }

  /** Adds the lists that an image's variants share. An unpacked layer's size is more accurate. */
  const withLists = (parsed: ParsedImage, { names, repoTags, repoDigests }: Names): CatalogImage => ({
    ...parsed,
    names,
    repoTags,
    repoDigests,
    get parent() {
      const { byId, parents } = current();
      return byId.get(parents.get(parsed.id) ?? '')?.id;
    },
    get lastTagged() {
      return current().tagged.get(parsed.id);
    },
    get size() {
      const { diff_ids } = parsed.config.rootfs;
      return diff_ids.reduce((sum, id, i) => sum + (layers.size(id) ?? parsed.layers[i]?.size ?? 0), 0);
    },
  });

  return {
    images: () => current().images,
    variants: () => current().byManifest.values(),
    byId: id => current().byId.get(id),
    byManifest: digest => current().byManifest.get(digest),
    descriptorsOf: id => references.read().filter(each => readImage(each)?.id === id),
    idOf: descriptor => readImage(descriptor)?.id,
    find(text) {
      const { byId, byName, images } = current();
      const id = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
      if (isDigest(id)) {
        const image = byId.get(id);
        if (image === undefined) throw noSuchImage(text);
        return { image, byName: undefined };
      }
      const reference = withTag(decodeReference(text));
      // In name:tag@digest the digest counts.
      const { tag, ...withoutTag } = reference;
      const key = encodeReference(reference.digest === undefined ? reference : withoutTag);
      const named = byName.get(key);
      if (named !== undefined) return { image: named, byName: key };
      const prefix = text.replace(/^sha256:/, '');
      const matches = /^[0-9a-f]{1,64}$/.test(prefix)
        ? images.filter(image => image.id.startsWith(`sha256:${prefix}`))
        : [];
      if (matches.length > 1) {
        throw new ImageError(
          `${matches.length} images have an id that starts with ${prefix}: give more digits`,
        );
      }
      if (matches[0] === undefined) throw noSuchImage(familiarReference(reference));
      return { image: matches[0], byName: undefined };
    },
  };
}
