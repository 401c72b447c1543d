// Making images: layers and configurations become blobs, and a manifest ties them together.
import { existsSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { gzipSync } from 'node:zlib';
import { Mistake } from '../04-mounts/mistake.ts';
import {
  type Descriptor,
  digestOf,
  type Image,
  type ImageConfig,
  type Manifest,
  MEDIA_TYPE,
  tagImage,
  writeBlob,
  writeJson,
} from './store.ts';

/** An image without layers. */
export function emptyImage(): Image {
  const architecture = arch() === 'arm64' ? 'arm64' : 'amd64';
  const rootfs: ImageConfig['rootfs'] = { type: 'layers', diff_ids: [] };
  const config = { architecture, os: 'linux', config: {}, rootfs, history: [] };
  const descriptor = { mediaType: MEDIA_TYPE.config, digest: '', size: 0 };
  return {
    manifest: { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config: descriptor, layers: [] },
    config,
  };
}

/** A new image with this tar archive as one more layer on top. Only the layer is written to the store. */
export function addLayer({ manifest, config }: Image, tar: Buffer, createdBy: string): Image {
  const layer = writeBlob(MEDIA_TYPE.layer, gzipSync(tar));
  return {
    manifest: { ...manifest, layers: [...manifest.layers, layer] },
    config: {
      ...config,
      // The digest of the tar, not of the gzip file: another gzip packs the same files into different bytes.
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, digestOf(tar)] },
      history: [...config.history, { created_by: createdBy }],
    },
  };
}

/** Writes configuration and manifest. @returns the manifest's descriptor; its digest identifies the image */
export function writeImage({ manifest, config }: Image): Descriptor {
  const complete: Manifest = { ...manifest, config: writeJson(MEDIA_TYPE.config, config) };
  return writeJson(MEDIA_TYPE.manifest, complete);
}

export function importImage(file: string, name: string): Descriptor {
  if (!existsSync(file)) throw new Mistake(`there is no archive ${file}`);
  const image = addLayer(emptyImage(), readFileSync(file), `import ${file}`);
  image.config.config = { Cmd: ['sh'], Env: ['PATH=/bin:/sbin:/usr/bin:/usr/sbin'] };
  const manifest = writeImage(image);
  tagImage(name, manifest);
  return manifest;
}
