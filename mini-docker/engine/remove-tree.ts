// Removing a directory with all that is in it. A few small files, as nearly every container has, are removed at once:
// faster than any waiting for a thread. Large trees are left to a thread, so that nobody else has to wait.

import { readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const FEW = 64;

/** Idempotent. Symbolic links are removed and not followed. */
export async function removeTree(directory: string): Promise<void> {
  try {
    if (removeFew(directory, FEW) >= 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
  }
  await rm(directory, { recursive: true, force: true });
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
