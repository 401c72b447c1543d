// `docker pull`: fetches manifest, configuration, and then the layers in parallel, each unpacked while it
// arrives. An unpacked layer stays hidden until both digests are verified: of the layer as it arrived, and of
// its content.

import {
  encodeReference,
  familiarName,
  familiarReference,
  type ImageReference,
} from '../../formats/image-reference.ts';
import { digestOf } from '../../formats/oci/digest.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  isIndexType,
  isManifestType,
  MEDIA,
  type Platform,
} from '../../formats/oci/image.ts';
import { decodeImageConfig } from '../../formats/oci/image-config.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import { parseObject } from '../../formats/schema.ts';
import { type Content, counted } from '../content.ts';
import { ImageError } from '../errors.ts';
import type { ImageProgress, PulledImage } from '../image.ts';
import { spaceFor } from '../layers.ts';
import { choosePlatform, encodePlatform, hostPlatform } from '../platform.ts';
import { fetchSignatures } from '../trust/attachments.ts';
import { pulledAs } from '../trust/origins.ts';
import type { Trust } from '../trust/trust.ts';
import { askRegistry } from './ask.ts';
import { RegistryError } from './errors.ts';
import { openRepository, type Repository } from './repository.ts';
import type { Session } from './session.ts';
import type { RegistrySettings } from './settings.ts';
import { sideBySide } from './side-by-side.ts';

export interface PullOptions {
  /** The reference, with a tag or a digest. */
  reference: ImageReference;
  settings: RegistrySettings;
  trust: Trust;
  platform?: Platform | undefined;
  auth?: RegistryAuth | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: ImageProgress) => void) | undefined;
}

const MAX_DOWNLOADS = 3;
const CONFIG_LIMIT = 16 << 20;

/**
 * On failure, only blobs that other images have are left. @throws RegistryError, ImageError when it cannot be
 * pulled
 */
export async function pullImage(content: Content, options: PullOptions): Promise<PulledImage> {
  const { reference, settings, auth, signal } = options;
  return askRegistry({ domain: reference.domain, settings, auth, signal, mirrored: true }, session =>
    pullFrom(content, session, options),
  ).catch(error => {
    throw explainPull(error, reference);
  });
}

/**
 * 401 would make clients ask for a password, while a wrong name is the likelier mistake: dockerd reports 404,
 * too.
 */
export function explainPull(failure: unknown, reference: ImageReference): unknown {
  if (!(failure instanceof RegistryError)) return failure;
  const { status, code } = failure;
  const name = familiarReference(reference);
  const repository = familiarName(reference);
  if (status === 404 && code !== 'NAME_UNKNOWN') {
    const message = `manifest for ${name} not found: the registry has no such tag or digest`;
    return new RegistryError(message, { status, code: code ?? 'MANIFEST_UNKNOWN', cause: failure });
  }
  if (status === 401 || status === 403 || code === 'NAME_UNKNOWN') {
    const message = `pull access denied for ${repository}, repository does not exist or may require 'docker login'`;
    return new RegistryError(message, { kind: 'notFound', status, code: code ?? 'DENIED', cause: failure });
  }
  return failure;
}

async function pullFrom(content: Content, session: Session, options: PullOptions): Promise<PulledImage> {
  const { reference, trust, platform, onProgress = () => {} } = options;
  const repository = openRepository(session, reference.path, 'pull');
  const top = await repository.manifest(reference.digest ?? reference.tag!);
  onProgress({ id: reference.digest ?? reference.tag!, status: `Pulling from ${reference.path}` });
  const chosen = await chooseManifest(repository, top, platform);
  const manifest = decodeManifest(chosen.bytes);
  const isImage =
    manifest.config.mediaType === MEDIA.ociConfig || manifest.config.mediaType === MEDIA.dockerConfig;
  if (!isImage)
    throw new ImageError(`${familiarReference(reference)} is not an image: ${manifest.config.mediaType}`);
  const foreign = manifest.layers.find(layer => (layer.urls?.length ?? 0) > 0);
  if (foreign !== undefined)
    throw new ImageError(`layer ${foreign.digest} is kept elsewhere (foreign layers of Windows)`);

  const digests = [top.descriptor.digest, digestOf(chosen.bytes)];
  const signatures = await trust.admit({ reference, digests }, () => fetchSignatures(repository, digests));
  const annotations = pulledAs({ name: encodeReference(reference), digests, signatures });
  requireSpace(content, manifest.layers);

  const names = namesOf(reference, top.descriptor.digest);
  const before = content.catalog.byId(manifest.config.digest);
  const isUpToDate = before !== undefined && names.every(name => before.names.includes(name));
  const image = await content.holding(async hold => {
    const fresh = new Set<string>();
    hold(manifest.config.digest);
    await fetchConfig({ content, session, repository }, manifest.config);
    const config = decodeImageConfig(content.blobs.read(manifest.config.digest));
    checkPlatform(config, platform, reference);
    const diffIds = config.rootfs.diff_ids;
    for (const digest of [...manifest.layers.map(layer => layer.digest), ...diffIds]) hold(digest);
    for (const [index, { digest, size }] of manifest.layers.entries()) {
      if (!isHere(content, { digest, size }, diffIds[index]))
        onProgress({ id: digest, status: 'Pulling fs layer' });
    }
    const limit = options.settings.maxDownloads ?? MAX_DOWNLOADS;
    await sideBySide(manifest.layers, limit, async (layer, index) => {
      const diffId = diffIds[index];
      if (diffId === undefined) throw new ImageError('the image has more layers than diff ids');
      await fetchLayer({ content, session, repository, layer, diffId, fresh, onProgress });
    });
    return content.add({ manifest: chosen.bytes, mediaType: chosen.mediaType, names, fresh, annotations });
  });
  return { image, digest: top.descriptor.digest, isUpToDate };
}

/** Checks the free space before the first byte. */
function requireSpace({ blobs, temporary }: Content, layers: readonly Descriptor[]): void {
  const missing = layers.filter(({ digest, size }) => blobs.size(digest) !== size);
  const bytes = missing.reduce((sum, { size }) => sum + size, 0);
  const space = spaceFor(temporary);
  if (bytes <= space) return;
  throw new ImageError(`the image's layers have ${bytes} bytes, and there is room for ${space} on the disk`);
}

/** The tag, if there is one, and the digest that it stands for. */
function namesOf({ domain, path, tag, digest }: ImageReference, found: string): string[] {
  const names = [encodeReference({ domain, path, digest: found })];
  if (tag !== undefined && digest === undefined) names.unshift(encodeReference({ domain, path, tag }));
  return names;
}

async function chooseManifest(
  repository: Repository,
  top: { descriptor: Descriptor; bytes: Buffer },
  platform: Platform | undefined,
): Promise<{ bytes: Buffer; mediaType: string }> {
  const mediaType = typeOf(top);
  if (isManifestType(mediaType)) return { bytes: top.bytes, mediaType };
  if (!isIndexType(mediaType)) throw new ImageError(`manifests of the type ${mediaType} are not supported`);
  const descriptor = choosePlatform(decodeIndex(top.bytes), platform);
  const { bytes } = await repository.manifest(descriptor.digest);
  return { bytes, mediaType: descriptor.mediaType };
}

/** The type in the document, else the registry's. */
function typeOf({ descriptor, bytes }: { descriptor: Descriptor; bytes: Buffer }): string {
  const { mediaType } = parseObject(bytes, 'manifest');
  return typeof mediaType === 'string' ? mediaType : descriptor.mediaType;
}

function checkPlatform(config: Platform, wanted: Platform | undefined, reference: ImageReference): void {
  if (wanted === undefined && config.os === hostPlatform().os) return;
  const { os, architecture } = wanted ?? hostPlatform();
  if (config.os === os && config.architecture === architecture) return;
  throw new ImageError(
    `image with reference ${familiarReference(reference)} was found but its platform (${encodePlatform(config)}) ` +
      `does not match the specified platform (${encodePlatform(wanted ?? hostPlatform())})`,
  );
}

async function fetchConfig(
  { content, session, repository }: { content: Content; session: Session; repository: Repository },
  config: Descriptor,
): Promise<void> {
  if (config.size > CONFIG_LIMIT)
    throw new ImageError(`the image's configuration is too large: ${config.size} bytes`);
  if (content.blobs.size(config.digest) === config.size) return;
  await content.blobs.receive(download({ session, repository, layer: config }), config);
}

/** Whether both the blob and the unpacked layer exist. */
const isHere = (
  { blobs, layers }: Content,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  diffId: string | undefined,
): boolean => diffId !== undefined && blobs.size(digest) === size && layers.has(diffId);

async function fetchLayer(options: {
  content: Content;
  session: Session;
  repository: Repository;
  layer: Descriptor;
  diffId: string;
  fresh: Set<string>;
  onProgress(progress: ImageProgress): void;
}): Promise<void> {
  const { content, session, repository, layer, diffId, fresh, onProgress } = options;
  const { digest, size } = layer;
  if (isHere(content, layer, diffId)) {
    onProgress({ id: digest, status: 'Already exists' });
    return;
  }
  const tell = (status: string, current?: number) =>
    onProgress({ id: digest, status, ...(current === undefined ? {} : { current, total: size }) });
  const extracting = (current: number) => tell('Extracting', current);
  if (content.blobs.size(digest) === size) {
    // The blob belongs to another image, but the layer is not unpacked yet.
    await content.layers.unpack({ diffId, source: () => counted(content.blobs.stream(digest), extracting) });
  } else {
    const report = (current: number) => {
      tell('Downloading', current);
      if (current < size) return;
      tell('Download complete');
      // Reports the rest.
      extracting(size);
    };
    const arrival = content.blobs.arrival(download({ session, repository, layer, report }), layer);
    try {
      await content.layers.unpack({ diffId, source: () => arrival, verified: digest === diffId });
    } finally {
      // If the bytes are not the announced ones, that is the error to report, since it explains any other.
      await arrival.finish();
    }
    fresh.add(digest);
  }
  tell('Pull complete');
}

/** The blob's bytes. After a broken connection it resumes, as long as each attempt makes progress. */
async function* download(options: {
  session: Session;
  repository: Repository;
  layer: Descriptor;
  report?(bytes: number): void;
}): AsyncGenerator<Uint8Array> {
  const { session, repository, layer, report = () => {} } = options;
  let received = 0;
  while (received < layer.size) {
    const before = received;
    const { start, body } = await repository.blob(layer.digest, received);
    // A registry without ranges starts again: the bytes so far are skipped.
    let skip = received - start;
    try {
      for await (const chunk of body) {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        received += rest.length;
        yield rest;
        report(received);
      }
    } catch (cause) {
      session.signal?.throwIfAborted();
      if (received === before) {
        throw new RegistryError(`cannot pull ${layer.digest}: the connection breaks repeatedly`, { cause });
      }
    }
    if (received === before)
      throw new RegistryError(`cannot pull ${layer.digest}: the registry sends no data`);
    if (received < layer.size) await session.pause();
  }
}
