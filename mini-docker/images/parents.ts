// The image that another one was built or committed from: docker's Parent. Images from a registry have none, those
// from an archive only where the archive has both.
// index.json keeps it as an annotation of the child.
import { isDigest } from '../formats/oci/digest.ts';
import type { Descriptor } from '../formats/oci/image.ts';

const PARENT = 'mini-docker.image.parent';

/** The parent's id; undefined for an image without a parent. */
export function parentOf({ annotations }: Descriptor): string | undefined {
  const parent = annotations?.[PARENT];
  return parent !== undefined && isDigest(parent) ? parent : undefined;
}

export const withParent = (descriptor: Descriptor, parent: string | undefined): Descriptor =>
  parent === undefined
    ? descriptor
    : { ...descriptor, annotations: { ...descriptor.annotations, [PARENT]: parent } };

/** Copies an image's parent to its names after a change. */
export function keepingParents(
  before: readonly Descriptor[],
  after: readonly Descriptor[],
  idOf: (descriptor: Descriptor) => string | undefined,
): readonly Descriptor[] {
  const parents = new Map<string | undefined, string>();
  for (const each of [...before, ...after]) {
    const parent = parentOf(each);
    if (parent !== undefined) parents.set(idOf(each), parent);
  }
  if (parents.size === 0) return after;
  return after.map(each => withParent(each, parents.get(idOf(each))));
}
