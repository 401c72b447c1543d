// Removing a directory with all that is in it. A few small files, as nearly every container has, are removed at once:
// faster than any waiting for a thread. Large trees are left to a thread, so that nobody else has to wait.

import { closeSync, openSync, readdirSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { O } from './constants.ts';
import { removeTree as removeTreeAt } from './directory.ts';

const FEW = 64;

/** Idempotent. Symbolic links are removed and not followed. */
export async function removeTree(directory: string): Promise<void> {
  try {
    if (removeFew(directory, FEW) >= 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
  }
  await rm(directory, { recursive: true, force: true }).catch((error: unknown) =>
    removeDeep(directory, error),
  );
}

/** The same at once, for sweeping up when nobody is served yet. */
export function removeTreeNow(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    removeDeep(directory, error);
  }
}

/** A container may make trees that are deeper than a path is long, or than there are descriptors. */
function removeDeep(directory: string, error: unknown): void {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['ENAMETOOLONG', 'EMFILE', 'ENFILE', 'ENOTEMPTY'].includes(code)) throw error;
  const parent = openSync(dirname(directory), O.RDONLY | O.DIRECTORY);
  try {
    removeTreeAt(parent, basename(directory));
  } finally {
    closeSync(parent);
  }
}

/** @returns how many more could have been removed; negative when there were too many, and some are left */
function removeFew(directory: string, budget: number): number {
  const entries = readdirSync(directory, { withFileTypes: true });
  let left = budget - entries.length;
  if (left < 0) return left;
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) left = removeFew(path, left);
    else unlinkSync(path);
    if (left < 0) return left;
  }
  rmdirSync(directory);
  return left;
}
