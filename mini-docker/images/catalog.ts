// The images in index.json, read once, and found by name, by id, or by a prefix of the id.

import { decodeReference, encodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { isDigest } from '../formats/oci/digest.ts';
import type { Descriptor } from '../formats/oci/image.ts';
import type { Tell } from '../linux/kept-file.ts';
import type { Blobs } from './blobs.ts';
import { ImageError, noSuchImage } from './errors.ts';
import type { Image } from './image.ts';
import { imageReader, type ParsedImage } from './image-reader.ts';
import type { Layers } from './layers.ts';
import { parentOf } from './parents.ts';
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
  const { references, layers } = parts;
  const readImage = imageReader(parts);
  let read: readonly Descriptor[] | undefined;
  let contents = emptyContents();

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
    find: text => findIn(current(), text),
  };
}

function findIn({ byId, byName, images }: Contents, text: string): ReturnType<Catalog['find']> {
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
    throw new ImageError(`${matches.length} images have an id that starts with ${prefix}: give more digits`);
  }
  if (matches[0] === undefined) throw noSuchImage(familiarReference(reference));
  return { image: matches[0], byName: undefined };
}
