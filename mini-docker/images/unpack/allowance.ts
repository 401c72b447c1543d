// How much an archive may unpack to. One of a few kilobytes can be made to unpack to a full disk, and a full memory.

import { ImageError } from '../errors.ts';

const BLOCK = 4096;
const MEMORY = 128 << 20;
/** What a string and its place in a map take, about. */
const NAME_OVERHEAD = 64;

export class Allowance {
  readonly #bytes: number;
  readonly #memory: number;
  #stored = 0;
  #remembered = 0;

  /** @param options.bytes of content, and a block for each file or directory; @param options.memory for names */
  constructor(options: { bytes: number; memory: number | undefined }) {
    this.#bytes = options.bytes;
    this.#memory = options.memory ?? MEMORY;
  }

  /** @throws ImageError when that is too much */
  store(bytes: number): void {
    this.#stored += bytes;
    if (this.#stored > this.#bytes) {
      throw new ImageError(`the archive unpacks to more than the ${this.#bytes} bytes allowed`);
    }
  }

  /** A file or a directory, be it empty. */
  storeFile(): void {
    this.store(BLOCK);
  }

  /** @throws ImageError when that is too much */
  remember(name: string): void {
    this.#remembered += name.length + NAME_OVERHEAD;
    if (this.#remembered > this.#memory) {
      throw new ImageError('the archive has more directories than can be kept in mind');
    }
  }
}
