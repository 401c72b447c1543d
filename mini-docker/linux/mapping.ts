// Memory outside of JavaScript's heap, for machine code and its data.
import { call } from './call.ts';
import { MAP, PROT } from './constants.ts';
import { bufferAt } from './libc.ts';
import { mmap, mprotect, munmap } from './syscalls.ts';

const PAGE = 4096;

/** An anonymous mapping, or a mapping of a memfd; unmapped by `using` or close(). */
export class Mapping implements Disposable {
  readonly address: number;
  readonly size: number;
  readonly bytes: Buffer<ArrayBuffer>;
  #open = true;

  /** @param fd a memfd of the same size, whose memory is shared by all processes that map it */
  constructor(size: number, fd?: number) {
    this.size = Math.ceil(size / PAGE) * PAGE;
    const flags = fd === undefined ? MAP.PRIVATE | MAP.ANONYMOUS : MAP.SHARED;
    this.address = call(mmap(0, this.size, PROT.READ | PROT.WRITE, flags, fd ?? -1, 0));
    this.bytes = bufferAt(this.address, this.size);
  }

  /** Makes the memory executable and no longer writable. */
  makeExecutable(): void {
    call(mprotect(this.address, this.size, PROT.READ | PROT.EXEC));
  }

  /** Unmaps the memory: `bytes` must not be used afterwards. */
  close(): void {
    if (this.#open) call(munmap(this.address, this.size));
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
