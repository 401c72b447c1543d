// Normalises names in an archive: relative to the directory that it is unpacked into, and never leading out
// of it.

import { ImageError } from '../errors.ts';

/** The path without '.', '..' and double slashes, relative to the root. */
export function normalise(path: string): string {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path;
  const parts = partsInside(path);
  if (parts === undefined)
    throw new ImageError(`the archive is not safe: ${JSON.stringify(path)} leads out of it`);
  return parts.join('/');
}

/** The names of a path from some root on, without '.' and '..'; undefined when it leads out of the root. */
export function partsInside(path: string): string[] | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts;
}

export function splitLast(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { directory: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) };
}
