// Files that are there whole or not at all, whenever their writer is killed.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export interface WholeFileOptions {
  mode?: number;
  /** It survives that the machine loses its power, too. */
  durable?: boolean;
  /** The name that it has until it is whole, in the same file system. */
  temporary?: string;
}

export function writeWhole(path: string, content: string | Uint8Array, options: WholeFileOptions = {}): void {
  const { mode = 0o600, durable = false, temporary = `${path}.tmp` } = options;
  try {
    const file = openSync(temporary, 'w', mode);
    try {
      writeFileSync(file, content);
      if (durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
