// Removes a file, or a directory and its content, by descriptors: a tree may be deeper than the longest path
// or than the number of descriptors, names may be any bytes, and a directory that is swapped for a symbolic
// link is not followed.

import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { call, callAsync } from './call.ts';
import { AT, O, RENAME, S_IF } from './constants.ts';
import { namesIn, statusAt } from './directory.ts';
import { ERRNO } from './errno.ts';
import type { PathArg } from './in-root.ts';
import { mayFail, type Step } from './step.ts';
import { openat, renameat2, unlinkat } from './syscalls.ts';

/** Directories that are open at once; deeper directories are first moved up. */
const DEEPEST = 64;
/** Bytes whose blocks take so long to free that the event loop should not wait for it, unless the caller says otherwise. */
const LARGE = 64 << 20;
const NEVER = Number.POSITIVE_INFINITY;
/** Entries after which the event loop gets a turn. */
const TURN = 256;

/** A pause in the removal: for a call that takes long, or for a turn of the event loop. */
type Pause = Step | 'turn';

/**
 * Removes a tree; idempotent. Symbolic links are not followed.
 * @param large bytes of a file or directory from which another thread removes it
 * @throws SyscallError when an entry cannot be removed
 */
export async function removeTree(path: string, large = LARGE): Promise<void> {
  const parent = openParent(path);
  if (parent === undefined) return;
  try {
    for (const pause of removal(parent, basename(path), large)) {
      if (pause === 'turn') await setImmediate();
      else await callAsync(pause);
    }
  } finally {
    closeSync(parent);
  }
}

/**
 * removeTree() without pauses: for a file, for a directory with few of them, or before the daemon serves clients.
 * @throws SyscallError when an entry cannot be removed
 */
export function removeTreeNow(path: string): void {
  // A file needs no more than this call.
  if (call(mayFail(unlinkat(AT.FDCWD, path, 0), 'ENOENT', 'EISDIR')) !== -ERRNO.EISDIR) return;
  const parent = openParent(path);
  if (parent === undefined) return;
  try {
    removeTreeAt(parent, basename(path));
  } finally {
    closeSync(parent);
  }
}

/** removeTreeNow() for `name` in the directory `parent`. */
export function removeTreeAt(parent: number, name: PathArg): void {
  for (const pause of removal(parent, name, NEVER)) if (pause !== 'turn') call(pause);
}

function openParent(path: string): number | undefined {
  try {
    return openSync(dirname(path), O.RDONLY | O.DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function* removal(parent: number, name: PathArg, large: number): Generator<Pause, void> {
  const size = yield* unlink(parent, name, large);
  if (size === undefined) return;
  // Repeats for directories that were moved up, with a new descriptor: a descriptor lists its names only
  // once.
  for (let left = true; left; ) {
    const top = openDirectoryAt(parent, name);
    try {
      left = yield* empty(top, { top, depth: 1, entries: 0, large });
    } finally {
      closeSync(top);
    }
  }
  yield* step(removeDirectory(parent, name), size >= large);
}

/** Removes a file; a directory stays. @returns the bytes of the directory; undefined when nothing is left to remove */
function* unlink(parent: number, name: PathArg, large: number): Generator<Pause, number | undefined> {
  const unlinked = mayFail(unlinkat(parent, name, 0), 'ENOENT', 'EISDIR');
  // unlink(2) removes a file, and answers EISDIR for a directory.
  if (large === NEVER) return call(unlinked) === -ERRNO.EISDIR ? 0 : undefined;
  const status = statusAt(parent, name);
  if (status === undefined) return undefined;
  if ((status.mode & S_IF.MT) === S_IF.DIR) return status.size;
  yield* step(unlinked, status.size >= large);
  return undefined;
}

const removeDirectory = (parent: number, name: PathArg): Step =>
  mayFail(unlinkat(parent, name, AT.REMOVEDIR), 'ENOENT');

function* step(removal: Step, isLong: boolean): Generator<Pause, void> {
  if (isLong) yield removal;
  else call(removal);
}

interface Walk {
  top: number;
  depth: number;
  entries: number;
  large: number;
}

/** @returns whether directories were moved up into `top` */
function* empty(fd: number, walk: Walk): Generator<Pause, boolean> {
  const { top, depth, large } = walk;
  let more = false;
  for (const child of namesIn(fd)) {
    walk.entries += 1;
    if (walk.entries % TURN === 0) yield 'turn';
    const size = yield* unlink(fd, child, large);
    if (size === undefined) continue;
    if (depth >= DEEPEST && bringUp(fd, child, top)) {
      more = true;
      continue;
    }
    const below = openDirectoryAt(fd, child);
    try {
      const inside = { top, depth: depth + 1, entries: walk.entries, large };
      if (yield* empty(below, inside)) more = true;
      walk.entries = inside.entries;
    } finally {
      closeSync(below);
    }
    yield* step(removeDirectory(fd, child), size >= large);
  }
  return more;
}

let brought = 0;

/** @returns false when the directory cannot be moved, as in the lower layers of an overlay */
function bringUp(fd: number, child: PathArg, top: number): boolean {
  const name = `.removing-${process.pid}-${++brought}`;
  const moved = mayFail(renameat2(fd, child, top, name, RENAME.NOREPLACE), 'EXDEV', 'EEXIST', 'ENOENT');
  return call(moved) >= 0;
}

function openDirectoryAt(parent: number, name: PathArg): number {
  return call(openat(parent, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC, 0));
}
