// `docker push`: sends the layers that the registry lacks, then the configuration, then the manifest, so that
// a tag always names a complete image.

import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import {
  decodeReference,
  encodeReference,
  familiarName,
  type ImageReference,
} from '../../formats/image-reference.ts';
import {
  type Descriptor,
  decodeManifest,
  encodeJson,
  type Manifest,
  MEDIA,
} from '../../formats/oci/image.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import type { CatalogImage } from '../catalog.ts';
import { type Content, counted, withName } from '../content.ts';
import { noSuchImage } from '../errors.ts';
import type { ImageProgress, PushedImage } from '../image.ts';
import { askRegistry } from './ask.ts';
import { RegistryError } from './errors.ts';
import { openRepository, type Repository } from './repository.ts';
import type { RegistrySettings } from './settings.ts';
import { sideBySide } from './side-by-side.ts';

export interface PushOptions {
  /** The reference, with a tag. */
  reference: ImageReference;
  settings: RegistrySettings;
  auth?: RegistryAuth | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: ImageProgress) => void) | undefined;
}

const MAX_UPLOADS = 5;

/** @throws ImageError, RegistryError when it cannot be pushed */
export async function pushImage(content: Content, options: PushOptions): Promise<PushedImage> {
  const { reference, settings, auth, signal } = options;
  const { image, byName } = content.catalog.find(encodeReference(reference));
  if (byName === undefined) throw noSuchImage(encodeReference(reference));
  return askRegistry({ domain: reference.domain, settings, auth, signal }, session => {
    const repository = openRepository(session, reference.path, 'pull,push');
    return content.holding(hold => pushTo({ content, image, repository, hold, options }));
  }).catch(error => {
    throw explain(error, reference);
  });
}

function explain(failure: unknown, reference: ImageReference): unknown {
  if (!(failure instanceof RegistryError) || (failure.status !== 401 && failure.status !== 403))
    return failure;
  const { status, code = 'DENIED' } = failure;
  const message = `push access denied for ${familiarName(reference)}: log in to ${reference.domain} as a user with access`;
  return new RegistryError(message, { status, code, cause: failure });
}

async function pushTo(parts: {
  content: Content;
  image: CatalogImage;
  repository: Repository;
  hold(digest: string): void;
  options: PushOptions;
}): Promise<PushedImage> {
  const { content, image, repository, hold, options } = parts;
  const { reference, settings, onProgress = () => {} } = options;
  const ids = image.config.rootfs.diff_ids;
  for (const id of ids) onProgress({ id, status: 'Preparing' });
  const { descriptor, bytes, manifest } = await compressed(content, { image, hold, onProgress });
  const sources = otherRepositories(image, reference);
  await sideBySide(manifest.layers, settings.maxUploads ?? MAX_UPLOADS, (layer, index) =>
    pushBlob({ content, repository, layer, id: ids[index]!, sources, onProgress }),
  );
  if (!(await repository.hasBlob(manifest.config.digest))) {
    const open = () => content.blobs.stream(manifest.config.digest);
    await repository.upload({ descriptor: manifest.config, open });
  }
  const tag = reference.tag!;
  await repository.putManifest(tag, { bytes, mediaType: descriptor.mediaType });
  const { domain, path } = reference;
  const digestName = encodeReference({ domain, path, digest: descriptor.digest });
  const { idOf } = content.catalog;
  await content.update(manifests =>
    withName(replaced(manifests, image, descriptor), { descriptor, name: digestName, idOf }),
  );
  return { tag, digest: descriptor.digest, size: bytes.length };
}

/** Makes every name of the image stand for the manifest that was pushed. */
const replaced = (manifests: readonly Descriptor[], image: CatalogImage, by: Descriptor): Descriptor[] =>
  manifests.map(each => {
    if (each.digest !== image.manifest.digest) return each;
    return each.annotations === undefined ? by : { ...by, annotations: each.annotations };
  });

/**
 * Repositories of the registry that may have the layers: those from or to which the image was pulled or
 * pushed.
 */
function otherRepositories(image: CatalogImage, { domain, path }: ImageReference): string[] {
  const others = image.names
    .map(decodeReference)
    .filter(other => other.digest !== undefined && other.domain === domain && other.path !== path);
  return [...new Set(others.map(other => other.path))];
}

async function pushBlob(options: {
  content: Content;
  repository: Repository;
  layer: Descriptor;
  /** The layer's id in progress reports: its diff id, which is known before it is compressed. */
  id: string;
  sources: readonly string[];
  onProgress(progress: ImageProgress): void;
}): Promise<void> {
  const { content, repository, layer, id, sources, onProgress } = options;
  const { digest, size } = layer;
  if (await repository.hasBlob(digest)) {
    onProgress({ id, status: 'Layer already exists' });
    return;
  }
  const pushing = (current: number) => onProgress({ id, status: 'Pushing', current, total: size });
  const open = () => counted(content.blobs.stream(digest), pushing);
  const { mountedFrom } = await repository.upload({ descriptor: layer, open, from: sources });
  onProgress({ id, status: mountedFrom === undefined ? 'Pushed' : `Mounted from ${mountedFrom}` });
}

interface Pushable {
  descriptor: Descriptor;
  bytes: Buffer;
  manifest: Manifest;
}

/**
 * Compresses layers that were made locally, which are plain tars, with gzip. The image keeps its id, which is
 * the digest of its configuration, and that names layers by their content.
 */
async function compressed(
  { blobs, catalog }: Content,
  options: {
    image: CatalogImage;
    hold: (digest: string) => void;
    onProgress: (progress: ImageProgress) => void;
  },
): Promise<Pushable> {
  const { image, hold, onProgress } = options;
  const bytes = blobs.read(image.manifest.digest);
  const manifest = decodeManifest(bytes);
  const plain = (layer: Descriptor) =>
    layer.mediaType === MEDIA.ociLayer || layer.mediaType === MEDIA.dockerLayer;
  if (!manifest.layers.some(plain)) return { descriptor: image.manifest, bytes, manifest };
  const other = [...catalog.variants()].find(each => each.id === image.id && !each.layers.some(plain));
  if (other !== undefined) {
    const known = blobs.read(other.manifest.digest);
    return { descriptor: other.manifest, bytes: known, manifest: decodeManifest(known) };
  }
  const layers: Descriptor[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    if (!plain(layer)) {
      layers.push(layer);
      continue;
    }
    const id = image.config.rootfs.diff_ids[index]!;
    const source = counted(blobs.stream(layer.digest), current =>
      onProgress({ id, status: 'Compressing', current, total: layer.size }),
    );
    const stored = await blobs.receive(pipeline(source, createGzip(), () => {}));
    hold(stored.digest);
    hold(layer.digest);
    const mediaType = layer.mediaType === MEDIA.ociLayer ? MEDIA.ociLayerGzip : MEDIA.dockerLayerGzip;
    layers.push({ ...layer, ...stored, mediaType });
  }
  const next: Manifest = { ...manifest, layers };
  const stored = blobs.put(encodeJson(next));
  hold(stored.digest);
  hold(image.manifest.digest);
  return {
    descriptor: { mediaType: image.manifest.mediaType, ...stored },
    bytes: encodeJson(next),
    manifest: next,
  };
}
