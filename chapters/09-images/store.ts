// The image store, an OCI image layout. A blob is named by the digest of its content, so no change goes unnoticed.
// https://github.com/opencontainers/image-spec: image-layout.md, manifest.md, config.md
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';

export const STORE = '/tmp/box/images';

export const MEDIA_TYPE = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** A reference from one blob, or the index, to another blob. */
export interface Descriptor {
  mediaType: string;
  /** 'sha256:…' */
  digest: string;
  /** Bytes. */
  size: number;
  annotations?: Record<string, string>;
}

export interface Manifest {
  schemaVersion: 2;
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
}

export interface ImageConfig {
  architecture: string;
  os: string;
  /** Defaults for boxes of this image: command, environment, directory. */
  config: { Cmd?: string[]; Env?: string[]; WorkingDir?: string };
  /** The digests of the uncompressed layers, the lowest first. */
  rootfs: { type: 'layers'; diff_ids: string[] };
  history: { created_by: string; empty_layer?: boolean }[];
}

export interface Image {
  manifest: Manifest;
  config: ImageConfig;
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function blobPath(digest: string, store = STORE): string {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
  if (hex === undefined) throw new Mistake(`a digest is sha256: and 64 hex digits, not ${digest}`);
  return `${store}/blobs/sha256/${hex}`;
}

export function writeBlob(mediaType: string, bytes: Buffer): Descriptor {
  const digest = digestOf(bytes);
  mkdirSync(`${STORE}/blobs/sha256`, { recursive: true });
  replaceFile(blobPath(digest), bytes);
  return { mediaType, digest, size: bytes.length };
}

/** @throws Mistake if the content does not match the digest */
export function readBlob({ digest }: Descriptor, store = STORE): Buffer {
  const bytes = readFileSync(blobPath(digest, store));
  if (digestOf(bytes) !== digest)
    throw new Mistake(`${digest} is damaged: its content is ${digestOf(bytes)}`);
  return bytes;
}

export function writeJson(mediaType: string, value: object): Descriptor {
  return writeBlob(mediaType, Buffer.from(JSON.stringify(value)));
}

/** @param manifest descriptor of the manifest, from a tag or from an archive's index */
export function readImage(manifest: Descriptor, store = STORE): Image {
  const decoded = JSON.parse(readBlob(manifest, store).toString()) as Manifest;
  const config = JSON.parse(readBlob(decoded.config, store).toString()) as ImageConfig;
  return { manifest: decoded, config };
}

const TAG = 'org.opencontainers.image.ref.name';

/** The names in index.json, the only file in the store that ever changes. */
export function tags(): Map<string, Descriptor> {
  if (!existsSync(`${STORE}/index.json`)) return new Map();
  const { manifests } = JSON.parse(readFileSync(`${STORE}/index.json`, 'utf8')) as {
    manifests: Descriptor[];
  };
  return new Map(manifests.map(manifest => [manifest.annotations?.[TAG] ?? '', manifest]));
}

/** @throws Mistake if there is no image of that name */
export function findImage(name: string): Image {
  const manifest = tags().get(name);
  if (manifest === undefined) {
    throw new Mistake(`there is no image ${name}; there are: ${[...tags().keys()].join(', ') || 'none'}`);
  }
  return readImage(manifest);
}

export function tagImage(name: string, manifest: Descriptor): void {
  const all = tags().set(name, { ...manifest, annotations: { [TAG]: name } });
  writeIndex(STORE, [...all.values()]);
}

export function writeIndex(store: string, manifests: readonly Descriptor[]): void {
  replaceFile(`${store}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  replaceFile(`${store}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
}

/** Replaces a file in one step: readers see the old file or the new one, never half of one. rename(2) */
function replaceFile(path: string, content: Buffer | string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
