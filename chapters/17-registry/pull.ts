// Pull: a tag leads to a manifest, and the manifest to blobs. Each is compared with the digest that it was asked for by.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { Mistake } from '../04-mounts/mistake.ts';
import {
  blobPath,
  type Descriptor,
  digestOf,
  MEDIA_TYPE,
  readBlob,
  readImage,
  STORE,
  tagImage,
  writeBlob,
} from '../09-images/store.ts';
import { uncompressed } from '../09-images/unpack.ts';
import { ask, printable, type Repository, textOf } from './client.ts';
import { parseReference } from './reference.ts';

export const INDEX = 'application/vnd.oci.image.index.v1+json';

/** All forms that we understand. Without this header, a registry may convert to the oldest that it knows. */
const ACCEPT = [
  MEDIA_TYPE.manifest,
  INDEX,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** Pulls an image, and gives it its name when all of it is there and is right. @throws Mistake */
export async function pull(name: string): Promise<Descriptor> {
  try {
    const manifest = await pullParts(name);
    tagImage(name, manifest);
    return manifest;
  } catch (error) {
    if (error instanceof Mistake) throw error;
    // What a registry sends may be anything: no JSON, JSON without layers, a layer that is no archive.
    throw new Mistake(`${name} is not an image: ${(error as Error).message}`);
  }
}

async function pullParts(name: string): Promise<Descriptor> {
  const reference = parseReference(name);
  const repository = { ...reference, scopes: [`repository:${reference.repository}:pull`] };
  const { type, bytes } = await fetchManifest(repository, reference.tag);
  const { config, layers } = JSON.parse(bytes.toString()) as { config: Descriptor; layers: Descriptor[] };
  mkdirSync(`${STORE}/blobs/sha256`, { recursive: true });
  for (const blob of [config, ...layers]) {
    console.log(`${blob.digest.slice(7, 19)}: ${await fetchBlob(repository, blob)}`);
  }
  const manifest = writeBlob(type, bytes);
  const image = readImage(manifest);
  for (const [at, layer] of layers.entries()) {
    uncompressed(readBlob(layer), image.config.rootfs.diff_ids[at]);
  }
  return manifest;
}

interface Fetched {
  type: string;
  bytes: Buffer;
}

/** @param tag a tag, or a digest, which the content must have */
async function fetchManifest(repository: Repository, tag: string): Promise<Fetched> {
  const response = await ask(repository, `manifests/${tag}`, { headers: { Accept: ACCEPT } });
  const bytes = await textOf(response);
  const digest = digestOf(bytes);
  if (tag.startsWith('sha256:') && digest !== tag) {
    throw new Mistake(`${repository.host} sent a manifest ${digest} when asked for ${tag}`);
  }
  const { schemaVersion, manifests, config, layers } = JSON.parse(bytes.toString());
  if (schemaVersion === 1) {
    throw new Mistake(
      'it has a manifest of schema 1, which knows no digests of configurations: push it anew',
    );
  }
  if (Array.isArray(manifests)) return fetchManifest(repository, ownPlatform(manifests).digest);
  if (config === undefined || !Array.isArray(layers)) throw new Mistake(`${digest} is not a manifest`);
  return { type: response.headers.get('content-type') ?? MEDIA_TYPE.manifest, bytes };
}

export interface PlatformDescriptor extends Descriptor {
  platform?: { os: string; architecture: string; variant?: string };
}

/** An index lists the manifests of one image for several kinds of machines. */
function ownPlatform(manifests: readonly PlatformDescriptor[]): Descriptor {
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  const found = manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (found !== undefined) return found;
  const there = manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`);
  throw new Mistake(`there is no image for linux/${architecture}; there are: ${printable(there.join(', '))}`);
}

/** Fetches a blob into the store, where it gets its name at the very end. @returns what was done */
async function fetchBlob(repository: Repository, { digest, size }: Descriptor): Promise<string> {
  if (existsSync(blobPath(digest))) return 'already here';
  const temporary = `${blobPath(digest)}.new`;
  const file = openSync(temporary, 'w');
  const hash = createHash('sha256');
  let received = 0;
  let connections = 0;
  try {
    while (received < size) {
      const before = received;
      connections++;
      for await (const chunk of bytesFrom(repository, digest, received)) {
        received += chunk.length;
        if (received > size)
          throw new Mistake(`${repository.host} sends more than the ${size} bytes of ${digest}`);
        hash.update(chunk);
        writeFileSync(file, chunk);
      }
      if (received === before) throw new Mistake(`${digest} ends after ${received} of ${size} bytes`);
    }
    const actual = `sha256:${hash.digest('hex')}`;
    if (actual !== digest) throw new Mistake(`${repository.host} sent ${actual} when asked for ${digest}`);
    renameSync(temporary, blobPath(digest));
  } finally {
    closeSync(file);
    rmSync(temporary, { force: true });
  }
  return connections > 1 ? `pulled, over ${connections} connections` : 'pulled';
}

/** The bytes of a blob from `start` on, as far as they come. */
async function* bytesFrom(repository: Repository, digest: string, start: number): AsyncGenerator<Uint8Array> {
  const headers: Record<string, string> = start > 0 ? { Range: `bytes=${start}-` } : {};
  const response = await ask(repository, `blobs/${digest}`, { headers });
  // A registry that knows no ranges answers 200, and sends everything again.
  let known = response.status === 206 ? 0 : start;
  try {
    for await (const chunk of response.body ?? []) {
      const fresh = chunk.subarray(known);
      known -= chunk.length - fresh.length;
      if (fresh.length > 0) yield fresh;
    }
  } catch {
    // The connection broke. The bytes that have arrived are still good.
  }
}
