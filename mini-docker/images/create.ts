// Creates images: a file system becomes a single layer (import), or a layer is added to an image (commit,
// build).

import { decodeReference, encodeReference, withTag } from '../formats/image-reference.ts';
import { type Descriptor, encodeJson, type Manifest, MEDIA } from '../formats/oci/image.ts';
import type { History, ImageConfig } from '../formats/oci/image-config.ts';
import type { CatalogImage } from './catalog.ts';
import type { Content } from './content.ts';
import { decompressed } from './decompress.ts';
import { ImageError } from './errors.ts';
import type { CreateImageOptions, Image, ImportOptions } from './image.ts';
import { decodePlatformText, hostPlatform } from './platform.ts';

/** @throws ImageError, FormatError when a name is invalid */
export const fullNames = (references: readonly string[] = []): string[] =>
  references.map(text => {
    const reference = withTag(decodeReference(text));
    if (reference.digest !== undefined)
      throw new ImageError('refusing to create a tag with a digest reference');
    return encodeReference(reference);
  });

/** @throws ImageError, FormatError when a name or a layer is invalid */
export function createImage(content: Content, options: CreateImageOptions): Promise<Image> {
  const names = fullNames(options.references);
  const { base } = options;
  const below = base === undefined ? undefined : content.catalog.byId(base.id);
  if (base !== undefined && below === undefined) throw new ImageError(`image ${base.id} is gone`);
  return content.holding(async hold => {
    const added = options.layer === undefined ? undefined : await addLayer(content, options.layer, hold);
    const history: History = {
      created: options.created,
      ...(options.author ? { author: options.author } : {}),
      created_by: options.createdBy,
      ...(options.comment ? { comment: options.comment } : {}),
      ...(added === undefined ? { empty_layer: true } : {}),
    };
    const { author: _, created: __, config: ___, ...inherited } = below?.config ?? newConfig();
    const config: ImageConfig = {
      created: options.created,
      ...(options.author ? { author: options.author } : {}),
      ...inherited,
      ...(options.config === undefined ? {} : { config: options.config }),
      rootfs: {
        type: 'layers',
        diff_ids: [...inherited.rootfs.diff_ids, ...(added === undefined ? [] : [added.digest])],
      },
      history: [...(inherited.history ?? []), history],
    };
    const { unpackLater = false } = options;
    const layers = added === undefined ? [] : [added];
    return store(content, { config, below, added: layers, names, hold, unpackLater });
  });
}

const newConfig = (): ImageConfig => ({ ...hostPlatform(), rootfs: { type: 'layers', diff_ids: [] } });

/** Adds an uncompressed layer, whose digest is its diff id. */
async function addLayer(
  { blobs }: Content,
  tar: AsyncIterable<Uint8Array>,
  hold: (digest: string) => void,
): Promise<Descriptor> {
  const stored = await blobs.receive(tar);
  hold(stored.digest);
  return { mediaType: MEDIA.ociLayer, ...stored };
}

/** Makes the manifest of an image, and adds it: with the layers of `below`, and those on top of them. */
export function store(
  { blobs, add }: Content,
  options: {
    config: ImageConfig;
    below?: CatalogImage | undefined;
    added: readonly Descriptor[];
    names: string[];
    hold: (digest: string) => void;
    unpackLater?: boolean;
  },
): Promise<CatalogImage> {
  const { config, below, added, names, hold, unpackLater = false } = options;
  const stored = blobs.put(encodeJson(config));
  hold(stored.digest);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, ...stored },
    layers: [...(below?.layers ?? []), ...added],
  };
  const fresh = new Set(added.map(({ digest }) => digest));
  return add({
    manifest: encodeJson(manifest),
    mediaType: MEDIA.ociManifest,
    names,
    fresh,
    unpackLater,
    parent: below?.id,
  });
}

/** @throws ImageError, FormatError when a name or the archive is invalid */
export function importImage(content: Content, options: ImportOptions): Promise<Image> {
  const names = fullNames(options.reference === undefined ? [] : [options.reference]);
  const platform = options.platform === undefined ? hostPlatform() : decodePlatformText(options.platform);
  if (platform.os !== 'linux') throw new ImageError('operating system is not supported');
  const created = new Date().toISOString();
  const comment = options.message ?? 'Imported from -';
  return content.holding(async hold => {
    const added = await addLayer(content, decompressed(options.source), hold);
    const { os, architecture, variant } = platform;
    const config: ImageConfig = {
      created,
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      ...(options.config === undefined ? {} : { config: options.config }),
      rootfs: { type: 'layers', diff_ids: [added.digest] },
      history: [{ created, comment }],
    };
    return store(content, { config, added: [added], names, hold });
  });
}
