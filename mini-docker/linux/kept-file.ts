// Files that carry our state from one daemon to the next. A disk may return wrong bytes, a file system check
// may cut a file short, an administrator may put another file there: nothing found in the place of such a
// file keeps the daemon from starting. An unusable file is renamed, reported, and replaced by its last good
// copy where one exists.

import {
  accessSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from './directory.ts';
import { withFd } from './in-root.ts';
import { makeDirectories } from './make-directories.ts';
import { removeTreeAt, removeTreeNow } from './remove-tree.ts';
import { setAside } from './set-aside.ts';
import { type WholeFileOptions, writeWhole } from './whole-file.ts';

/** Reports a problem in one sentence, for the daemon's log and its health report. */
export type Tell = (trouble: string) => void;

/** The largest file of state in bytes, unless the caller allows more. */
const LARGEST = 16 << 20;

/**
 * Reads a regular file of bounded size. A FIFO, which blocks until it is opened for writing, and an endless
 * file are refused.
 * @throws Error when the file is refused or cannot be read, with the code ENOENT when it does not exist
 */
export function readRegular(path: string, largest = LARGEST): Buffer {
  return withFd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY), fd => {
    const { size } = regular(fstatSync(fd), path);
    if (size > largest) throw new Error(`${path} has ${size} bytes, more than the ${largest} it may have`);
    const bytes = Buffer.alloc(size);
    let length = 0;
    for (let count = -1; count !== 0 && length < size; length += count) {
      count = readSync(fd, bytes, length, size - length, length);
    }
    return bytes.subarray(0, length);
  });
}

function regular(stats: Stats, path: string): Stats {
  if (!stats.isFile()) throw new Error(`${path} is no ordinary file`);
  return stats;
}

/** Size of a regular file in bytes; undefined where there is none or it cannot be examined. */
export function sizeOfRegular(path: string): number | undefined {
  try {
    return regular(statSync(path), path).size;
  } catch {
    return undefined;
  }
}

/** Path of the copy of the bytes that were written last. */
const copyOf = (path: string): string => `${path}.last`;

/**
 * Decodes the file, or else its last good copy. An unusable file is set aside, so that its content is not
 * lost when the next one is written.
 * @param decode throws when the bytes are not usable
 * @returns undefined when neither the file nor its copy is usable
 */
export function loadKept<T>(path: string, decode: (bytes: Buffer) => T, tell: Tell): T | undefined {
  const found = attempt(path, decode);
  if ('value' in found) return found.value;
  const copy = attempt(copyOf(path), decode);
  if (found.isMissing && !('value' in copy)) return undefined;
  const aside = found.isMissing ? '' : ` (${setAside(path)})`;
  const instead = 'value' in copy ? 'its last good copy is used' : 'there is no good copy of it';
  tell(`${path} cannot be read${aside}: ${found.reason}; ${instead}`);
  if (!('value' in copy)) return undefined;
  try {
    writeWhole(path, readRegular(copyOf(path)));
  } catch (error) {
    tell(`${path} cannot be written: ${(error as Error).message}`);
  }
  return copy.value;
}

type Attempt<T> = { value: T } | { reason: string; isMissing: boolean };

function attempt<T>(path: string, decode: (bytes: Buffer) => T): Attempt<T> {
  try {
    return { value: decode(readRegular(path)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { reason: message, isMissing: code === 'ENOENT' && !isThere(path) };
  }
}

/** Writes the whole file, and then its copy. A durable file's name is on the disk as well. */
export function saveKept(path: string, content: string | Uint8Array, options: WholeFileOptions = {}): void {
  writeWhole(path, content, options);
  writeWhole(copyOf(path), content, { ...options, durable: false });
  if (options.durable) withFd(openSync(dirname(path), constants.O_RDONLY), fsyncSync);
}

/** Copies the file's present content to its copy, for a writer that had no time to do so. */
export function keepCopy(path: string): void {
  writeWhole(copyOf(path), readRegular(path));
}

export function removeKept(path: string): void {
  for (const each of [path, copyOf(path)]) removeTreeNow(each);
}

/**
 * Creates a directory and its parents. Any other file in its place is set aside, and so is a directory that this process
 * may not use: one of root's below the data root of an ordinary user.
 */
export function ensureDirectory(path: string, options: { mode?: number; tell: Tell }): void {
  const { tell, mode } = options;
  for (const each of [path, ...ancestors(path)].reverse()) {
    if (!isThere(each)) continue;
    if (!isDirectory(each)) tell(`${each} is in the place of a directory (${setAside(each)})`);
    else if (!isUsable(each, each === path)) tell(`${each} may not be used (${setAside(each)})`);
  }
  makeDirectories(path, mode);
}

/** Also true where that cannot be known. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...ancestors(above)];
}

/** @param wholly to list and change it; otherwise only to pass through it */
export function isUsable(path: string, wholly = true): boolean {
  try {
    accessSync(path, wholly ? constants.R_OK | constants.W_OK | constants.X_OK : constants.X_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
  return true;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Removes the leftovers of an earlier daemon from a directory: the names that `unwanted` accepts. An entry
 * that cannot be removed stays, and is reported.
 */
export function sweep(directory: string, options: { unwanted(name: string): boolean; tell: Tell }): void {
  const { unwanted, tell } = options;
  try {
    withFd(openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY), fd => {
      for (const name of namesIn(fd)) {
        const shown = name.toString('utf8', 0, name.length - 1);
        if (!unwanted(shown)) continue;
        try {
          removeTreeAt(fd, name);
        } catch (error) {
          tell(`${join(directory, shown)} is left over and cannot be removed: ${(error as Error).message}`);
        }
      }
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    tell(`${directory} cannot be swept: ${(error as Error).message}`);
  }
}
