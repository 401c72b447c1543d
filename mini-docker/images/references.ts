// Which names mean which image: the layout's index.json (image specification, image-layout.md, "index.json file"),
// one descriptor for each name, or one without a name for an image that has none.
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
import { loadKept, saveKept, sizeOfRegular, type Tell } from '../linux/kept-file.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { type Blobs, blobFile } from './blobs.ts';

/** The annotation's key is the specification's; skopeo finds `oci:DIR:docker.io/library/busybox:latest` by it. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** Bytes; of registries, which take no larger ones. */
const LARGEST_MANIFEST = 8 << 20;

export interface References {
  /** Nobody opened this layout before. */
  isNew: boolean;
  /** There were images, and nothing said any more what they are called. */
  namesLost: boolean;
  /** What index.json says now. The same array as long as the file stays the same. */
  read(): readonly Descriptor[];
  /** Replaces it, whole or not at all. */
  write(manifests: readonly Descriptor[]): void;
}

/** The image's name in full; undefined when it has none, or one of another tool that is none for us. */
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

  /** undefined as long as the file has not changed, and when it cannot be used. */
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

/** Manifests of images for this machine, among all blobs. An index leads to them as well. */
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
      // Something else.
    }
  }
  return found;
}
