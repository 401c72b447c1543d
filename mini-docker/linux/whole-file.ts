// Files that exist completely or not at all, even when their writer is killed.

import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { removeTreeNow } from './remove-tree.ts';
import { renameOver } from './set-aside.ts';

export interface WholeFileOptions {
  mode?: number;
  /** Whether the file also has to survive a loss of power. */
  durable?: boolean;
  /** Path of the file until it is complete, in the same file system. */
  temporary?: string;
}

export function writeWhole(path: string, content: string | Uint8Array, options: WholeFileOptions = {}): void {
  const { mode = 0o600, durable = false, temporary = `${path}.tmp` } = options;
  try {
    const file = openNew(temporary, mode);
    try {
      writeFileSync(file, content);
      if (durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameOver(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes the leftover of a killed writer, or any other file, under the temporary name. */
function openNew(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    removeTreeNow(path);
    return openSync(path, 'wx', mode);
  }
}
