// What COPY and ADD take: files of a tree that somebody else filled. The kernel resolves every path inside the tree.

import { posix } from 'node:path';
import { decodeName, encodeName, isByteName } from '../formats/byte-names.ts';
import { FormatError } from '../formats/errors.ts';
import { compileGlob, type Glob } from '../formats/glob.ts';
import { call } from '../linux/call.ts';
import { O, S_IF } from '../linux/constants.ts';
import { type FileStatus, namesIn, statusAt } from '../linux/directory.ts';
import { openInRoot, type PathArg, readLink, withFd } from '../linux/in-root.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import { close } from '../linux/syscalls.ts';
import { BuildError } from './errors.ts';

/** A file by the directory that it is in; symbolic links to it have been followed. */
export interface Located extends Disposable {
  directory: number;
  /** '.' for the root itself. */
  name: string;
  status: FileStatus;
}

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;
const NUL = Buffer.alloc(1);

const pathArg = (path: string): PathArg => (isByteName(path) ? Buffer.concat([encodeName(path), NUL]) : path);

/** Finds a file in the tree of `root`, inside of which every link stays. undefined when it is not there. */
export function locate(root: number, path: string): Located | undefined {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const clean = at.replace(/\/+$/, '');
    const slash = clean.lastIndexOf('/');
    const last = clean.slice(slash + 1);
    const isWhole = last === '' || last === '.' || last === '..';
    const directory = openDirectory(root, isWhole ? clean : clean.slice(0, slash + 1));
    if (directory === undefined) return undefined;
    const name = isWhole ? '.' : last;
    const status = statusAt(directory, pathArg(name));
    if (status === undefined) {
      call(close(directory));
      return undefined;
    }
    if ((status.mode & S_IF.MT) !== S_IF.LNK) {
      return { directory, name, status, [Symbol.dispose]: () => void call(close(directory)) };
    }
    const target = withFd(directory, fd => decodeName(readLink(fd, pathArg(name))));
    // Not shortened: '..' behind a link is the kernel's to resolve.
    at = target.startsWith('/') ? target : `${clean.slice(0, slash + 1)}${target}`;
  }
  return undefined;
}

/** The directory itself, to read: the caller's to close. */
export const openDirectoryOf = ({ directory, name }: Located): number =>
  openInRoot(directory, pathArg(name), O.RDONLY | O.DIRECTORY);

/** The file's content: the caller's to close. */
export const openFileOf = ({ directory, name }: Located): number =>
  openInRoot(directory, pathArg(name), O.RDONLY | O.NOFOLLOW | O.NONBLOCK);

function openDirectory(root: number, path: string): number | undefined {
  try {
    return openInRoot(root, pathArg(path), O.RDONLY | O.DIRECTORY);
  } catch (error) {
    if (error instanceof SyscallError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code))
      return undefined;
    throw error;
  }
}

export const isDirectory = ({ status }: Pick<Located, 'status'>): boolean =>
  (status.mode & S_IF.MT) === S_IF.DIR;
export const isFile = ({ status }: Pick<Located, 'status'>): boolean => (status.mode & S_IF.MT) === S_IF.REG;

/**
 * The paths that a source stands for: itself, or those that its wildcards fit
 * (https://pkg.go.dev/path/filepath#Match). Throws BuildError for one that leads out of the context.
 */
export function matchingPaths(root: number, source: string): string[] {
  const parts: string[] = [];
  for (const part of source.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new BuildError(`forbidden path outside the build context: ${source}`);
    }
  }
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
