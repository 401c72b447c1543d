// `docker load`: loads the images of an archive, which is an OCI layout, the older format of `docker save`,
// or both.

import { createHash } from 'node:crypto';
import { createReadStream, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { FormatError } from '../formats/errors.ts';
import { decodeReference, encodeReference, withTag } from '../formats/image-reference.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  encodeJson,
  isIndexType,
  isManifestType,
  type Manifest,
  MEDIA,
} from '../formats/oci/image.ts';
import { decodeImageConfig } from '../formats/oci/image-config.ts';
import { withFd } from '../linux/in-root.ts';
import type { CatalogImage } from './catalog.ts';
import type { Content } from './content.ts';
import { compressionOf, decompressed } from './decompress.ts';
import { type DockerArchiveImage, decodeDockerArchive } from './docker-archive.ts';
import { ImageError } from './errors.ts';
import type { ImageProgress, LoadedImage } from './image.ts';
import { spaceFor } from './layers.ts';
import { parentOf } from './parents.ts';
import { choosePlatform } from './platform.ts';
import { IMAGE_NAME, REF_NAME } from './references.ts';
import { type Spool, type SpooledFile, spoolArchive } from './spool.ts';

/**
 * The annotation in which containerd and docker put the full name, while the specification's key has only the
 * tag.
 */

/**
 * Images that were loaded before a broken one stay. @throws ImageError when the archive or an image is broken
 */
export async function loadArchive(
  content: Content,
  source: AsyncIterable<Uint8Array>,
  onProgress: (progress: ImageProgress) => void = () => {},
): Promise<LoadedImage[]> {
  const { temporary } = content;
  const spool = await spoolArchive({ source, temporary, limit: spaceFor(temporary) });
  try {
    if (spool.has('oci-layout') && spool.has('index.json'))
      return await loadLayout(content, spool, onProgress);
    if (spool.has('manifest.json')) return await loadDockerArchive(content, spool, onProgress);
    throw new ImageError(
      'the archive contains no images: it has neither index.json nor manifest.json (import takes file systems)',
    );
  } finally {
    await spool.remove();
  }
}

async function loadLayout(
  content: Content,
  spool: Spool,
  onProgress: (progress: ImageProgress) => void,
): Promise<LoadedImage[]> {
  const loaded = new Map<string, LoadedImage>();
  const blob = ({ digest, size }: Descriptor): SpooledFile => {
    const file = spool.file(`blobs/sha256/${digest.slice(7)}`);
    if (file.digest === digest && file.size === size) return file;
    throw new ImageError(
      `the archive's ${digest} is damaged: its content is ${file.digest} of ${file.size} bytes`,
    );
  };
  const text = (descriptor: Descriptor) => spool.text(`blobs/sha256/${blob(descriptor).digest.slice(7)}`);
  for (const entry of decodeIndex(spool.text('index.json')).manifests) {
    const descriptor = isIndexType(entry.mediaType) ? choosePlatform(decodeIndex(text(entry))) : entry;
    if (!isManifestType(descriptor.mediaType)) continue;
    const bytes = text(descriptor);
    const manifest = decodeManifest(bytes);
    // Signatures and attestations look like images, except for their configuration.
    if (manifest.config.mediaType !== MEDIA.ociConfig && manifest.config.mediaType !== MEDIA.dockerConfig)
      continue;
    const names = annotatedNames(entry);
    const replaced = holdersOf(content, names);
    const parent = parentOf(entry);
    const image = await content.holding(async hold => {
      const fresh = new Set<string>();
      for (const part of [manifest.config, ...manifest.layers]) {
        hold(part.digest);
        content.blobs.adopt(blob(part).path, part.digest);
        fresh.add(part.digest);
      }
      return content.add({
        manifest: Buffer.from(bytes),
        mediaType: descriptor.mediaType,
        names,
        fresh,
        ...(parent !== undefined && content.catalog.byId(parent) !== undefined && { parent }),
        onLayer: reportLayers(manifest, onProgress),
      });
    });
    report(loaded, { image, names, replaced });
  }
  return [...loaded.values()];
}

async function loadDockerArchive(
  content: Content,
  spool: Spool,
  onProgress: (progress: ImageProgress) => void,
): Promise<LoadedImage[]> {
  const loaded = new Map<string, LoadedImage>();
  for (const entry of decodeDockerArchive(spool.text('manifest.json'))) {
    const names = (entry.RepoTags ?? []).flatMap(namesOf);
    const replaced = holdersOf(content, names);
    const image = await content.holding(hold =>
      addDockerImage(content, { spool, entry, names, hold, onProgress }),
    );
    report(loaded, { image, names, replaced });
  }
  return [...loaded.values()];
}

async function addDockerImage(
  content: Content,
  options: {
    spool: Spool;
    entry: DockerArchiveImage;
    names: string[];
    hold: (digest: string) => void;
    onProgress: (progress: ImageProgress) => void;
  },
): Promise<CatalogImage> {
  const { blobs, add } = content;
  const { spool, entry, names, hold, onProgress } = options;
  const config = spool.file(entry.Config);
  decodeImageConfig(spool.text(entry.Config));
  const fresh = new Set<string>();
  const files: SpooledFile[] = [];
  for (const name of entry.Layers) files.push(await storable(spool.file(name), content.temporary));
  const layers = files.map(
    (file): Descriptor => ({ mediaType: layerType(file.path), digest: file.digest, size: file.size }),
  );
  for (const file of [config, ...files]) {
    hold(file.digest);
    blobs.adopt(file.path, file.digest);
    fresh.add(file.digest);
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest: config.digest, size: config.size },
    layers,
  };
  const onLayer = reportLayers(manifest, onProgress);
  return add({ manifest: encodeJson(manifest), mediaType: MEDIA.ociManifest, names, fresh, onLayer });
}

/**
 * The layer as an image can have it. No media type exists for xz and bzip2: such a layer is unpacked beside the
 * spooled file, which goes with the spool.
 */
async function storable(file: SpooledFile, temporary: string): Promise<SpooledFile> {
  if (compressionAt(file.path) in LAYER_TYPES) return file;
  const path = `${file.path}.tar`;
  const hash = createHash('sha256');
  const limit = spaceFor(temporary);
  let size = 0;
  await using out = await open(path, 'wx');
  for await (const chunk of decompressed(createReadStream(file.path))) {
    size += chunk.length;
    if (size > limit) throw new ImageError(`a layer unpacks to more than the ${limit} bytes allowed`);
    hash.update(chunk);
    await out.writeFile(chunk);
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, size };
}

const LAYER_TYPES: Readonly<Record<string, string>> = {
  none: MEDIA.ociLayer,
  gzip: MEDIA.ociLayerGzip,
  zstd: MEDIA.ociLayerZstd,
};

const layerType = (path: string): string => LAYER_TYPES[compressionAt(path)]!;

function compressionAt(path: string): string {
  const start = Buffer.alloc(6);
  withFd(openSync(path, 'r'), fd => readSync(fd, start));
  return compressionOf(start);
}

/** The specification's key may hold a bare tag, which is ignored. */
function annotatedNames({ annotations = {} }: Descriptor): string[] {
  const name = annotations[IMAGE_NAME] ?? annotations[REF_NAME];
  return annotations[IMAGE_NAME] === undefined && !/[:/@]/.test(name ?? '') ? [] : namesOf(name);
}

/** Full names. */
function namesOf(name: string | undefined): string[] {
  if (name === undefined) return [];
  try {
    return [encodeReference(withTag(decodeReference(name)))];
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

const reportLayers =
  (manifest: Manifest, onProgress: (progress: ImageProgress) => void) =>
  (diffId: string, index: number, current: number): void => {
    const { size } = manifest.layers[index]!;
    onProgress({ id: diffId, status: 'Loading layer', current, total: size });
  };

function report(
  loaded: Map<string, LoadedImage>,
  { image, names, replaced }: { image: CatalogImage; names: string[]; replaced: LoadedImage['replaced'] },
): void {
  const before = loaded.get(image.id) ?? { names: [], replaced: [] };
  loaded.set(image.id, {
    id: image.id,
    names: [...before.names, ...names],
    replaced: [...before.replaced, ...replaced.filter(({ id }) => id !== image.id)],
  });
}

/** The images that have these names now. */
const holdersOf = ({ catalog }: Content, names: readonly string[]): LoadedImage['replaced'] =>
  catalog
    .images()
    .flatMap(({ id, names: own }) => own.filter(name => names.includes(name)).map(name => ({ name, id })));
