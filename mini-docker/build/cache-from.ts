// --cache-from: takes steps from images that were built elsewhere. A step is the image's next one when the image
// begins with all that the stage has so far, and its history words the step alike, as in Docker's classic builder.

import { createHash } from 'node:crypto';
import type { History } from '../formats/oci/image-config.ts';
import type { Image, ImageStore } from '../images/image.ts';
import type { CachedStep } from './cache.ts';
import type { StageState } from './state.ts';
import { hashEntries } from './transfer.ts';

/**
 * The images of these names; others are ignored, as in Docker: the first build of a project finds none.
 * @throws ImageError when the signature policy refuses one
 */
export async function cacheSources(images: ImageStore, names: readonly string[]): Promise<Image[]> {
  const found = await Promise.all(names.map(name => images.get(name).catch(() => undefined)));
  return found.filter(image => {
    if (image !== undefined) images.requireTrusted(image);
    return image !== undefined;
  });
}

/** The step `did` as one of the images made it after all that `state` has; undefined when none did. */
export async function stepFrom(
  sources: readonly Image[],
  {
    images,
    state,
    did,
    hold,
  }: { images: ImageStore; state: StageState; did: string; hold(digest: string): void },
): Promise<CachedStep | undefined> {
  const diffIds = [...(state.base?.config.rootfs.diff_ids ?? []), ...state.layers.map(each => each.diffId)];
  for (const image of sources) {
    const { history = [], rootfs, os, architecture } = image.config;
    const next = history[state.history.length];
    if (next?.created_by !== did || next.created === undefined) continue;
    if (os !== state.platform.os || architecture !== state.platform.architecture) continue;
    if (!state.history.every((each, index) => isSame(each, history[index]!))) continue;
    if (!diffIds.every((each, index) => each === rootfs.diff_ids[index])) continue;
    const { created } = next;
    if (next.empty_layer) return { created, did };
    const layer = await images.loose.layerOf(image, { index: diffIds.length, hold });
    if (layer !== undefined) return { created, did, layer };
  }
  return undefined;
}

const isSame = (a: History, b: History): boolean =>
  a.created_by === b.created_by && a.created === b.created && !a.empty_layer === !b.empty_layer;

/**
 * Whether two layers have the same files, whatever their times: the history of a COPY does not tell what was
 * copied, and the times of directories are those of the build.
 */
export async function haveSameFiles(
  images: ImageStore,
  a: CachedStep['layer'],
  b: CachedStep['layer'],
): Promise<boolean> {
  if (a === undefined || b === undefined) return a === b;
  const digests = await Promise.all([a, b].map(({ diffId }) => filesDigest(images.loose.tar(diffId))));
  return digests[0] === digests[1];
}

async function filesDigest(tar: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  await hashEntries(tar, { hash });
  return hash.digest('hex');
}
