// Translates a layer's whiteouts into overlayfs's (../whiteouts.ts).

import { pathArg } from '../../formats/byte-names.ts';
import { call } from '../../linux/call.ts';
import { S_IF } from '../../linux/constants.ts';
import { ERRNO } from '../../linux/errno.ts';
import { withFd } from '../../linux/in-root.ts';
import { mayFail } from '../../linux/step.ts';
import { mknodat, openat } from '../../linux/syscalls.ts';
import { ImageError } from '../errors.ts';
import { hiddenName, isMetadata, isOpaqueMark } from '../whiteouts.ts';
import { splitLast } from './paths.ts';
import { kindAt, markOpaque, OPEN_DIRECTORY, type Tree } from './tree.ts';

/** @returns false when the entry is not a whiteout and becomes a file */
export function makeWhiteout(tree: Tree, path: string): boolean {
  const { directory, name } = splitLast(path);
  if (isOpaqueMark(name)) {
    withFd(tree.open(directory), markOpaque);
    return true;
  }
  if (isMetadata(name)) return true;
  const hidden = hiddenName(name);
  if (hidden === undefined) return false;
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new ImageError(`the archive is not safe: ${JSON.stringify(path)} is a forged whiteout`);
  }
  const place = tree.place(directory === '' ? hidden : `${directory}/${hidden}`);
  const result = call(mayFail(mknodat(place.fd, pathArg(place.name), S_IF.CHR, 0), 'EEXIST'));
  // A whiteout concerns the layers below: an entry of this layer with the same name stays, and hides those
  // below by itself.
  if (result === -ERRNO.EEXIST && kindAt(place) === S_IF.DIR) {
    withFd(call(openat(place.fd, pathArg(place.name), OPEN_DIRECTORY, 0)), markOpaque);
  }
  return true;
}
