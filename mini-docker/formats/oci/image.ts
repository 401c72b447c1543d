// Manifests, indexes and descriptors of the OCI image specification 1.1, and Docker's image manifest v2 schema 2,
// which has the same shape under other media types.

import { FormatError } from '../errors.ts';
import {
  array,
  type Fields,
  integer,
  map,
  object,
  optional,
  parseObject,
  present,
  string,
  strings,
} from '../json-fields.ts';
import { isDigest } from './digest.ts';

export const MEDIA = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export interface Platform {
  architecture: string;
  os: string;
  variant?: string;
  'os.version'?: string;
}

/** Size in bytes. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  platform?: Platform;
  artifactType?: string;
}

export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  config: Descriptor;
  /** Bottom first. */
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

export const isIndexType = (mediaType: string): boolean =>
  mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerIndex;
export const isManifestType = (mediaType: string): boolean =>
  mediaType === MEDIA.ociManifest || mediaType === MEDIA.dockerManifest;

export function decodeDescriptor(value: unknown, where: string): Descriptor {
  const fields = object(value, where);
  const digest = string(fields.digest, `${where}.digest`);
  if (!isDigest(digest))
    throw new FormatError(`${where}.digest is not a sha256 digest: ${digest.slice(0, 80)}`);
  const size = integer(fields.size, `${where}.size`);
  if (size < 0) throw new FormatError(`${where}.size is negative: ${size}`);
  return present<Descriptor>({
    mediaType: string(fields.mediaType, `${where}.mediaType`),
    digest,
    size,
    urls: optional(fields, 'urls', where, strings),
    annotations: optional(fields, 'annotations', where, annotations),
    platform: optional(fields, 'platform', where, decodePlatform),
    artifactType: optional(fields, 'artifactType', where, string),
  });
}

const annotations = (value: unknown, where: string): Record<string, string> => map(value, where, string);

function decodePlatform(value: unknown, where: string): Platform {
  const fields = object(value, where);
  return present<Platform>({
    architecture: string(fields.architecture, `${where}.architecture`),
    os: string(fields.os, `${where}.os`),
    variant: optional(fields, 'variant', where, string),
    'os.version': optional(fields, 'os.version', where, string),
  });
}

function checkVersion(fields: Fields, what: string): void {
  if (fields.schemaVersion === 2) return;
  const old = fields.schemaVersion === 1 ? ' (Docker schema 1 is not supported: push the image again)' : '';
  throw new FormatError(`${what}.schemaVersion must be 2${old}`);
}

/** Throws FormatError. */
export function decodeManifest(text: string | Uint8Array): Manifest {
  const fields = parseObject(text, 'image manifest');
  checkVersion(fields, 'image manifest');
  // A document that is manifest and index at once means different things to different readers (CVE-2021-41190).
  if (fields.manifests !== undefined) throw new FormatError('image manifest has a list of manifests too');
  return present<Manifest>({
    schemaVersion: 2,
    mediaType: optional(fields, 'mediaType', 'image manifest', string),
    artifactType: optional(fields, 'artifactType', 'image manifest', string),
    config: decodeDescriptor(fields.config, 'image manifest.config'),
    layers: array(fields.layers, 'image manifest.layers', decodeDescriptor),
    annotations: optional(fields, 'annotations', 'image manifest', annotations),
  });
}

/** Throws FormatError. */
export function decodeIndex(text: string | Uint8Array): Index {
  const fields = parseObject(text, 'image index');
  checkVersion(fields, 'image index');
  if (fields.layers !== undefined || fields.config !== undefined) {
    throw new FormatError('image index has layers or a config too');
  }
  return present<Index>({
    schemaVersion: 2,
    mediaType: optional(fields, 'mediaType', 'image index', string),
    manifests: array(fields.manifests ?? [], 'image index.manifests', decodeDescriptor),
    annotations: optional(fields, 'annotations', 'image index', annotations),
  });
}

/** Canonical enough to be the same every time: fields in the order given, no spaces. */
export const encodeJson = (value: Manifest | Index | object): Buffer => Buffer.from(JSON.stringify(value));
