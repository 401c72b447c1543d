// Limits the unpacked size. An archive of a few kilobytes could otherwise fill the disk, or the memory.

import { ImageError } from '../errors.ts';

const BLOCK = 4096;
const MEMORY = 128 << 20;
/** Approximate bytes for a string and its entry in a map. */
const NAME_OVERHEAD = 64;

export class Allowance {
  readonly #bytes: number;
  readonly #memory: number;
  #stored = 0;
  #remembered = 0;

  /**
   * @param options.bytes bytes of content, and a block for each file or directory; @param options.memory
   * bytes of names
   */
  constructor(options: { bytes: number; memory: number | undefined }) {
    this.#bytes = options.bytes;
    this.#memory = options.memory ?? MEMORY;
  }

  /** @throws ImageError when the limit is exceeded */
  store(bytes: number): void {
    this.#stored += bytes;
    if (this.#stored > this.#bytes) {
      throw new ImageError(`the archive unpacks to more than the ${this.#bytes} bytes allowed`);
    }
  }

  /** Counts a file or a directory, even an empty one. */
  storeFile(): void {
    this.store(BLOCK);
  }

  /** @throws ImageError when the limit is exceeded */
  remember(name: string): void {
    this.#remembered += name.length + NAME_OVERHEAD;
    if (this.#remembered > this.#memory) {
      throw new ImageError('the archive has too many directories');
    }
  }
}
