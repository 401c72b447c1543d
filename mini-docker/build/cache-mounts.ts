// RUN --mount=type=cache: directories that outlive builds.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirectory, type Tell } from '../linux/kept-file.ts';
import { removeTree } from '../linux/remove-tree.ts';

export type Sharing = 'shared' | 'private' | 'locked';

export interface TakenCache {
  path: string;
  /** Whether the directory was just made, and so is empty. */
  isNew: boolean;
  release(): void;
}

export class CacheMounts {
  readonly #directory: string;
  readonly #tell: Tell;
  readonly #users = new Map<string, number>();
  /** By directory name: settles when every earlier build has given the directory back. */
  readonly #locks = new Map<string, Promise<void>>();

  constructor(directory: string, tell: Tell) {
    this.#directory = directory;
    this.#tell = tell;
    ensureDirectory(directory, { mode: 0o711, tell });
  }

  /**
   * `locked` waits until no other build uses the directory; `private` chooses an unused directory instead.
   */
  async take(id: string, sharing: Sharing): Promise<TakenCache> {
    const name = createHash('sha256').update(id).digest('hex').slice(0, 32);
    if (sharing === 'private') return this.#use(this.#free(name), () => {});
    if (sharing === 'shared') return this.#use(name, () => {});
    const before = this.#locks.get(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#locks.set(
      name,
      Promise.resolve(before).then(() => promise),
    );
    await before;
    return this.#use(name, resolve);
  }

  /** Removes the directories that no build uses. */
  async prune(): Promise<void> {
    for (const name of readdirSync(this.#directory)) {
      if (!this.#users.has(name)) await removeTree(join(this.#directory, name));
    }
  }

  #free(name: string): string {
    let number = 0;
    const nth = () => (number === 0 ? name : `${name}-${number}`);
    while (this.#users.has(nth())) number += 1;
    return nth();
  }

  #use(name: string, unlock: () => void): TakenCache {
    const path = join(this.#directory, name);
    const isNew = !existsSync(path);
    ensureDirectory(path, { tell: this.#tell });
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    let released = false;
    return {
      path,
      isNew,
      release: () => {
        if (released) return;
        released = true;
        const left = this.#users.get(name)! - 1;
        if (left > 0) this.#users.set(name, left);
        else this.#users.delete(name);
        unlock();
      },
    };
  }
}
