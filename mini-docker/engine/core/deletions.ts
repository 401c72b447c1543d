// Deletes the files of removed containers in the background. A container is gone after one rename, so no
// client waits for the disk. The next daemon deletes whatever a killed one did not get to (record-file.ts).

import { removeTree } from '../../linux/remove-tree.ts';

export class Deletions {
  readonly #tell: (trouble: string) => void;
  readonly #pending = new Set<Promise<void>>();

  constructor(tell: (trouble: string) => void) {
    this.#tell = tell;
  }

  /**
   * Deletes a tree in the background. Symbolic links are deleted, not followed. Freeing the blocks of even a short file may
   * take milliseconds, where the disk is told of each (mount option discard): threads wait for that.
   * @param unmounted settles when it is no layer of an overlay any more: rmdir(2) would spin until the kernel has taken the
   *   overlay apart (shrink_dcache_parent() in fs/dcache.c), and all clients would wait
   */
  begin(directory: string, unmounted: Promise<void> | undefined): void {
    const deletion = Promise.allSettled([unmounted])
      .then(() => removeTree(directory, 1))
      .catch((error: Error) => this.#tell(`${directory} cannot be removed: ${error.message}`))
      .finally(() => this.#pending.delete(deletion));
    this.#pending.add(deletion);
  }

  /** Resolves when all deletions that were started are done. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
