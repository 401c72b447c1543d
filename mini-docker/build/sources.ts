// The sources of COPY and ADD: files of an untrusted tree. The kernel resolves every path inside the tree.

import { posix } from 'node:path';
import { decodeName, pathArg } from '../formats/byte-names.ts';
import { FormatError } from '../formats/errors.ts';
import { compileGlob, type Glob } from '../formats/glob.ts';
import { isTooLong, tooLong } from '../formats/path-length.ts';
import { partsInside } from '../images/unpack/paths.ts';
import { call } from '../linux/call.ts';
import { O, S_IF } from '../linux/constants.ts';
import { type FileStatus, namesIn, statusAt } from '../linux/directory.ts';
import { openInRoot, resolveInRoot, withFd } from '../linux/in-root.ts';
import { openPlainFile } from '../linux/plain-file.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import { close } from '../linux/syscalls.ts';
import { BuildError } from './errors.ts';

/** A file, given by its directory and its name; symbolic links on the way have been followed. */
export interface Located extends Disposable {
  directory: number;
  /** Name in the directory; '.' for the root itself. */
  name: string;
  status: FileStatus;
}

/** @throws BuildError when the path is too long for any system call */
export function refuseLong(path: string): void {
  if (isTooLong(path)) throw new BuildError(tooLong(path));
}

/** Resolves `path` in the tree of `root`; it need not exist. @throws BuildError when links form a loop */
export function placeOf(root: number, path: string): string {
  refuseLong(path);
  const place = orMissing(() => resolveInRoot(root, pathArg(path)));
  if (place === undefined) throw new BuildError(`the symbolic links of ${path} go round in circles`);
  return decodeName(place.subarray(1));
}

/** Finds a file in the tree of `root`; links cannot leave the tree. undefined when there is no such file. */
export function locate(root: number, path: string): Located | undefined {
  const place = orMissing(() => decodeName(resolveInRoot(root, pathArg(path)).subarray(1)));
  if (place === undefined) return undefined;
  const slash = place.lastIndexOf('/');
  const directory = openDirectory(root, place.slice(0, slash + 1));
  if (directory === undefined) return undefined;
  const name = place.slice(slash + 1) || '.';
  const status = orMissing(() => statusAt(directory, pathArg(name)));
  if (status === undefined) {
    call(close(directory));
    return undefined;
  }
  return { directory, name, status, [Symbol.dispose]: () => void call(close(directory)) };
}

/** Opens the directory itself for reading; the caller closes the descriptor. */
export const openDirectoryOf = ({ directory, name }: Located): number =>
  openInRoot(directory, pathArg(name), O.RDONLY | O.DIRECTORY);

/** Opens the file for reading; the caller closes the descriptor. */
export function openFileOf({ directory, name }: Located): number {
  const fd = openPlainFile(directory, pathArg(name));
  if (fd === undefined) throw new Error(`cannot read ${name}: it is no ordinary file any more`);
  return fd;
}

const openDirectory = (root: number, path: string): number | undefined =>
  orMissing(() => openInRoot(root, pathArg(path), O.RDONLY | O.DIRECTORY));

/** Errors for a path that does not exist; a name that is too long cannot exist either. */
const MISSING = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

/** Runs `look`; undefined when the path does not exist. */
function orMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SyscallError && MISSING.includes(error.code)) return undefined;
    throw error;
  }
}

export const isDirectory = ({ status }: Pick<Located, 'status'>): boolean =>
  (status.mode & S_IF.MT) === S_IF.DIR;
export const isFile = ({ status }: Pick<Located, 'status'>): boolean => (status.mode & S_IF.MT) === S_IF.REG;

/**
 * The paths that a source means: itself, or those that match its wildcards
 * (https://pkg.go.dev/path/filepath#Match).
 * @throws BuildError when the source leads out of the context
 */
export function matchingPaths(root: number, source: string): string[] {
  const parts = partsInside(source);
  if (parts === undefined) throw new BuildError(`forbidden path outside the build context: ${source}`);
  if (!/[*?[]/.test(source)) return [parts.map(unescaped).join('/') || '.'];
  let found = [''];
  for (const part of parts) {
    if (!/[*?[\\]/.test(part)) found = found.map(path => posix.join(path, part));
    else found = found.flatMap(path => fitting(root, path, wildcard(part, source)));
  }
  return found.filter(path => {
    using there = locate(root, path);
    return there !== undefined;
  });
}

const unescaped = (part: string): string => part.replace(/\\(.)/g, '$1');

function fitting(root: number, path: string, pattern: Glob): string[] {
  const directory = openDirectory(root, path);
  if (directory === undefined) return [];
  const names = withFd(directory, namesIn).map(name => decodeName(name.subarray(0, -1)));
  return names
    .filter(name => pattern.matches(name))
    .sort()
    .map(name => posix.join(path, name));
}

function wildcard(part: string, source: string): Glob {
  try {
    return compileGlob(part, { separator: '/', sets: true });
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new BuildError(`syntax error in pattern: ${source}: ${cause.message}`, { cause });
  }
}
