// Which image was made of which: nothing writes that down, but a new image goes on with the layers and the history of
// the one below it.

import { isDeepStrictEqual } from 'node:util';
import type { Image } from '../../images/image.ts';

export function isMadeOf(image: Image, base: Image): boolean {
  const [history, below] = [image.config.history ?? [], base.config.history ?? []];
  return (
    history.length > below.length &&
    startsWith(image.config.rootfs.diff_ids, base.config.rootfs.diff_ids) &&
    startsWith(history, below)
  );
}

/** The id of the nearest of `images` that this one was made of; '' for none, as the API has it. */
export function parentOf(image: Image, images: readonly Image[]): string {
  const length = ({ config }: Image) => config.history?.length ?? 0;
  const bases = images.filter(base => isMadeOf(image, base));
  return bases.sort((a, b) => length(b) - length(a))[0]?.id ?? '';
}

const startsWith = (list: readonly unknown[], start: readonly unknown[]): boolean =>
  start.every((each, index) => isDeepStrictEqual(each, list[index]));
