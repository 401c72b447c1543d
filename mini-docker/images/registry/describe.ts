// Describes a registry's entry for a name, without fetching the image.

import type { ImageReference } from '../../formats/image-reference.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  isIndexType,
  isManifestType,
  type Platform,
} from '../../formats/oci/image.ts';
import { decodeImageConfig } from '../../formats/oci/image-config.ts';
import { parseObject } from '../../formats/schema.ts';
import { ImageError } from '../errors.ts';
import { RegistryError } from './errors.ts';
import type { Repository } from './repository.ts';
import { bytesOf } from './transport.ts';

export interface RemoteImage {
  descriptor: Descriptor;
  /** The manifest, or the index, as the registry sent it. */
  bytes: Buffer;
  /** A descriptor per platform, including the platform; only one when it is not an index. */
  images: (Descriptor & { platform: Platform })[];
}

const CONFIG_LIMIT = 16 << 20;

/** @throws RegistryError, FormatError, ImageError when there is no valid entry */
export async function describeRemote(
  repository: Repository,
  { tag, digest }: ImageReference,
): Promise<RemoteImage> {
  const { descriptor, bytes } = await repository.manifest(digest ?? tag!);
  const said = parseObject(bytes, 'manifest').mediaType;
  const mediaType = typeof said === 'string' ? said : descriptor.mediaType;
  const top = { ...descriptor, mediaType };
  if (isIndexType(mediaType)) {
    const images = decodeIndex(bytes).manifests.flatMap(each =>
      each.platform === undefined ? [] : [{ ...each, platform: each.platform }],
    );
    return { descriptor: top, bytes, images };
  }
  if (!isManifestType(mediaType))
    throw new ImageError(`manifests of the type ${mediaType} are not supported`);
  const { config } = decodeManifest(bytes);
  const { body } = await repository.blob(config.digest, 0);
  const text = await bytesOf(body, CONFIG_LIMIT);
  if (text.length > CONFIG_LIMIT) throw new RegistryError(`the configuration ${config.digest} is too large`);
  const { os, architecture, variant } = decodeImageConfig(text);
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { descriptor: top, bytes, images: [{ ...top, platform }] };
}
