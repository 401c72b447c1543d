// Files of removed containers, deleted in the background: a container is gone by one rename, and nobody has to wait for
// the disk. What a killed daemon did not come to, the next one sweeps away (record-file.ts).

import { removeTree } from '../../linux/remove-tree.ts';

export class Deletions {
  readonly #tell: (trouble: string) => void;
  readonly #pending = new Set<Promise<void>>();

  constructor(tell: (trouble: string) => void) {
    this.#tell = tell;
  }

  /** Symbolic links are deleted and not followed. */
  begin(directory: string): void {
    const deletion = removeTree(directory)
      .catch((error: Error) => this.#tell(`${directory} cannot be removed: ${error.message}`))
      .finally(() => this.#pending.delete(deletion));
    this.#pending.add(deletion);
  }

  /** Resolves when all that has begun is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
