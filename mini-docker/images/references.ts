// The names of images: the layout's index.json (image specification, image-layout.md, "index.json file"),
// with one descriptor per name, and one without a name for an unnamed image.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../formats/errors.ts';
import { decodeReference, encodeReference, withTag } from '../formats/image-reference.ts';
import {
  type Descriptor,
  decodeIndex,
  decodeManifest,
  encodeJson,
  type Index,
  MEDIA,
} from '../formats/oci/image.ts';
import { decodeImageConfig } from '../formats/oci/image-config.ts';
import { encodeTimestamp, nowNanoseconds } from '../formats/timestamp.ts';
import { loadKept, saveKept, sizeOfRegular, type Tell } from '../linux/kept-file.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { type Blobs, blobFile } from './blobs.ts';

/**
 * The annotation's key from the specification; skopeo finds `oci:DIR:docker.io/library/busybox:latest` by it.
 */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** containerd's annotation, with the whole name. */
export const IMAGE_NAME = 'io.containerd.image.name';

/** Time at which the name was given, RFC 3339: docker's LastTagTime is the latest of an image's names. */
const TAGGED = 'mini-docker.image.tagged';

export const taggedAt = ({ annotations }: Descriptor): string => annotations?.[TAGGED] ?? '';

export const withTagTime = (descriptor: Descriptor, at = encodeTimestamp(nowNanoseconds())): Descriptor => ({
  ...descriptor,
  annotations: { ...descriptor.annotations, [TAGGED]: at },
});

/** Bytes; the limit of registries. */
const LARGEST_MANIFEST = 8 << 20;

export interface References {
  /** Whether the layout was just created. */
  isNew: boolean;
  /** Whether there were images whose names were lost. */
  namesLost: boolean;
  /** The content of index.json. The same array as long as the file is unchanged. */
  read(): readonly Descriptor[];
  /** Replaces it atomically. */
  write(manifests: readonly Descriptor[]): void;
}

/** The image's full name; undefined without one, or for a name of another tool that is invalid here. */
export function nameOf(descriptor: Descriptor): string | undefined {
  const name = descriptor.annotations?.[REF_NAME];
  if (name === undefined) return undefined;
  try {
    return encodeReference(withTag(decodeReference(name)));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

export function named(descriptor: Descriptor, name: string | undefined): Descriptor {
  const { annotations = {}, ...rest } = descriptor;
  const { [REF_NAME]: _, ...others } = annotations;
  const all = name === undefined ? others : { ...others, [REF_NAME]: name };
  return Object.keys(all).length === 0 ? rest : { ...rest, annotations: all };
}

export async function openReferences(options: {
  layout: string;
  temporary: string;
  blobs: Blobs;
  tell: Tell;
}): Promise<References> {
  const { layout, temporary, blobs, tell } = options;
  const path = join(layout, 'index.json');
  let seen = '';
  let manifests: readonly Descriptor[] = [];

  const write = (next: readonly Descriptor[]): void => {
    const index: Index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [...next] };
    saveKept(path, encodeJson(index), { mode: 0o644, durable: true });
  };

  /** undefined if the file has not changed, or is unusable. */
  const changed = (): readonly Descriptor[] | undefined => {
    // Another program may write the layout: skopeo copy … oci:DIR.
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) return undefined;
    const { ino, mtimeNs, size } = status;
    const stamp = `${ino} ${mtimeNs} ${size}`;
    if (stamp === seen) return undefined;
    seen = stamp;
    return loadKept(path, bytes => decodeIndex(bytes).manifests, tell);
  };

  const kept = loadKept(path, bytes => decodeIndex(bytes).manifests, tell);
  const found = kept ?? (await findManifests(blobs));
  const isNew = found.length === 0 && kept === undefined;
  if (kept === undefined && !isNew) {
    tell(`${path} is lost: ${found.length} manifests were found without it; their images have no names now`);
  }
  if (isNew)
    writeWhole(join(layout, 'oci-layout'), encodeJson({ imageLayoutVersion: '1.0.0' }), blobFile(temporary));
  else if (sizeOfRegular(path) === undefined) write(found);
  manifests = found;

  return {
    isNew,
    namesLost: kept === undefined && !isNew,
    read() {
      manifests = changed() ?? manifests;
      return manifests;
    },
    write,
  };
}

/** Manifests of images for this machine, among all blobs. They include those that an index refers to. */
async function findManifests(blobs: Blobs): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  for (const digest of await blobs.list()) {
    const size = blobs.size(digest);
    if (size === undefined || size > LARGEST_MANIFEST) continue;
    try {
      const { mediaType = MEDIA.ociManifest, config } = decodeManifest(blobs.read(digest));
      decodeImageConfig(blobs.read(config.digest));
      found.push({ mediaType, digest, size });
    } catch {
      // It is something else.
    }
  }
  return found;
}
