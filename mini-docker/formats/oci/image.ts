// Manifests, indexes and descriptors of the OCI image specification 1.1, and Docker's image manifest v2 schema 2,
// which has the same shape under other media types.

import { FormatError } from '../errors.ts';
import {
  array,
  type Infer,
  integer,
  map,
  object,
  or,
  parseObject,
  type Schema,
  string,
  strings,
} from '../schema.ts';
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

const platform = object({ variant: string, 'os.version': string }, { architecture: string, os: string });
export type Platform = Infer<typeof platform>;

const fields = object(
  { urls: strings, annotations: map(string), platform, artifactType: string },
  { mediaType: string, digest: string, size: integer },
);
/** A descriptor, whose size is in bytes. */
export type Descriptor = Infer<typeof fields>;

export const descriptor: Schema<Descriptor> = (value, where) => {
  const found = fields(value, where);
  const { digest, size } = found;
  if (!isDigest(digest))
    throw new FormatError(`${where}.digest is not a sha256 digest: ${digest.slice(0, 80)}`);
  if (size < 0) throw new FormatError(`${where}.size is negative: ${size}`);
  return found;
};

const version = integer as Schema<2>;

const manifest = object(
  { mediaType: string, artifactType: string, annotations: map(string) },
  { schemaVersion: version, config: descriptor, /** Bottom first. */ layers: array(descriptor) },
);
export type Manifest = Infer<typeof manifest>;

const index = object(
  { mediaType: string, annotations: map(string) },
  { schemaVersion: version, manifests: or(array(descriptor), []) },
);
export type Index = Infer<typeof index>;

export const isIndexType = (mediaType: string): boolean =>
  mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerIndex;
export const isManifestType = (mediaType: string): boolean =>
  mediaType === MEDIA.ociManifest || mediaType === MEDIA.dockerManifest;

function checkVersion(fields: Record<string, unknown>, what: string): void {
  // Docker and containerd take a missing version for 2.
  if (fields.schemaVersion === 2 || !fields.schemaVersion) return;
  const old = fields.schemaVersion === 1 ? ' (Docker schema 1 is not supported: push the image again)' : '';
  throw new FormatError(`${what}.schemaVersion must be 2${old}`);
}

/** @throws FormatError when the text is not an image manifest */
export function decodeManifest(text: string | Uint8Array): Manifest {
  const fields = parseObject(text, 'image manifest');
  checkVersion(fields, 'image manifest');
  // A document that is manifest and index at once means different things to different readers (CVE-2021-41190).
  if (hasField(fields, 'manifests')) throw new FormatError('image manifest has a list of manifests too');
  return manifest(fields, 'image manifest');
}

/** @throws FormatError when the text is not an image index */
export function decodeIndex(text: string | Uint8Array): Index {
  const fields = parseObject(text, 'image index');
  checkVersion(fields, 'image index');
  if (hasField(fields, 'layers') || hasField(fields, 'config')) {
    throw new FormatError('image index has layers or a config too');
  }
  return index(fields, 'image index');
}

const hasField = (fields: Record<string, unknown>, name: string): boolean =>
  Object.keys(fields).some(key => key.toLowerCase() === name);

/** Encodes a value to the same bytes every time: fields in the given order, no spaces. */
export const encodeJson = (value: Manifest | Index | object): Buffer => Buffer.from(JSON.stringify(value));
