// Which names mean which image: the layout's index.json (image specification, image-layout.md, "index.json file"),
// one descriptor for each name, or one without a name for an image that has none.

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../formats/errors.ts';
import { decodeReference, encodeReference, withTag } from '../formats/image-reference.ts';
import { type Descriptor, decodeIndex, encodeJson, type Index, MEDIA } from '../formats/oci/image.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { blobFile } from './blobs.ts';

/** The annotation's key is the specification's; skopeo finds `oci:DIR:docker.io/library/busybox:latest` by it. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

export interface References {
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

export function openReferences(layout: string, temporary: string): References {
  const path = join(layout, 'index.json');
  let seen = '';
  let manifests: readonly Descriptor[] = [];
  return {
    read() {
      // Another program may write the layout: skopeo copy … oci:DIR.
      const status = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (status === undefined) return manifests;
      const { ino, mtimeNs, size } = status;
      const stamp = `${ino} ${mtimeNs} ${size}`;
      if (stamp !== seen) {
        manifests = decodeIndex(readFileSync(path)).manifests;
        seen = stamp;
      }
      return manifests;
    },
    write(next) {
      const index: Index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [...next] };
      writeWhole(path, encodeJson(index), blobFile(temporary));
    },
  };
}

/** True when the layout is new: it is one with the first `write`. */
export function prepareLayout(layout: string, temporary: string): boolean {
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
  if (statSync(join(layout, 'index.json'), { throwIfNoEntry: false }) !== undefined) return false;
  writeWhole(join(layout, 'oci-layout'), encodeJson({ imageLayoutVersion: '1.0.0' }), blobFile(temporary));
  return true;
}
