// A box's changes, read from its upper directory: each entry is new, changed, or marks a deletion.
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { AT, call, fgetxattr, mayFail, O, openat, withFd } from '#linux';
import { type Layers, OPAQUE_ATTRIBUTE } from '../08-layers/layers.ts';

export interface Change {
  /** Added, changed, deleted; the letters of docker diff. */
  kind: 'A' | 'C' | 'D';
  /** Path from the box's root: '/etc/motd'. */
  path: string;
}

/** Lists the changes in order of names, a directory before its content. */
export function changesOf({ lower, upper }: Layers): Change[] {
  return pathsIn(upper).map(path => {
    if (isWhiteout(upper + path)) return { kind: 'D', path };
    return { kind: isThere(path, lower.toReversed()) ? 'C' : 'A', path };
  });
}

/** Paths of everything in a directory, at any depth: '/etc', '/etc/motd'. */
export function pathsIn(directory: string, below = ''): string[] {
  const entries = readdirSync(directory + below, { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = `${below}/${entry.name}`;
      return entry.isDirectory() ? [path, ...pathsIn(directory, path)] : [path];
    });
}

/** Overlay's mark for a deleted file: a device 0:0 in its place. */
export function isWhiteout(file: string): boolean {
  const found = statsOf(file);
  return found?.isCharacterDevice() === true && found.rdev === 0;
}

/** Overlay's mark for a directory that hides the one below. */
export function isOpaque(directory: string): boolean {
  if (!statsOf(directory)?.isDirectory()) return false;
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
  return withFd(call(openat(AT.FDCWD, directory, flags, 0)), fd => {
    const value = Buffer.alloc(1);
    const length = call(mayFail(fgetxattr(fd, OPAQUE_ATTRIBUTE, value), 'ENODATA', 'ENOTSUP'));
    return length === 1 && value.toString() === 'y';
  });
}

/** Whether overlay shows this path. @param layers directories, the topmost first */
function isThere(path: string, [layer, ...below]: string[]): boolean {
  if (layer === undefined) return false;
  const parts = path.split('/').slice(1);
  const parents = parts.map((_, n) => `${layer}/${parts.slice(0, n + 1).join('/')}`);
  if (parents.some(isWhiteout)) return false;
  if (statsOf(layer + path) !== undefined) return true;
  return !parents.some(isOpaque) && isThere(path, below);
}

function statsOf(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch (error) {
    // ENOTDIR: a directory of another layer is a file in this one.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
