// Memory of our own, outside of JavaScript's heap: for machine code and for what it works on.
import { call } from './call.ts';
import { MAP, PROT } from './constants.ts';
import { bufferAt } from './libc.ts';
import { mmap, mprotect, munmap } from './syscalls.ts';

const PAGE = 4096;

/** An anonymous mapping, or one of a memfd; given back by `using` or close(). */
export class Mapping implements Disposable {
  readonly address: number;
  readonly size: number;
  readonly bytes: Buffer<ArrayBuffer>;
  #open = true;

  /** @param fd a memfd that is as large; its memory is then shared with who else maps it */
  constructor(size: number, fd?: number) {
    this.size = Math.ceil(size / PAGE) * PAGE;
    const flags = fd === undefined ? MAP.PRIVATE | MAP.ANONYMOUS : MAP.SHARED;
    this.address = call(mmap(0, this.size, PROT.READ | PROT.WRITE, flags, fd ?? -1, 0));
    this.bytes = bufferAt(this.address, this.size);
  }

  /** From writable to executable, never both at a time. */
  makeExecutable(): void {
    call(mprotect(this.address, this.size, PROT.READ | PROT.EXEC));
  }

  /** `bytes` must not be touched any more. */
  close(): void {
    if (this.#open) call(munmap(this.address, this.size));
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
