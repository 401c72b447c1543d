// The kernel reuses the number of a closed descriptor for the next file. Code that kept the old number would
// read, write or signal something unrelated; so a descriptor that outlives a function has an owner.
import { call } from './call.ts';
import { F } from './constants.ts';
import { close, fcntl } from './syscalls.ts';

export class Descriptor implements Disposable {
  #number: number | undefined;

  /** Takes ownership of an open descriptor, which no other code may close. */
  constructor(number: number) {
    this.#number = number;
  }

  get isOpen(): boolean {
    return this.#number !== undefined;
  }

  /** For use at once, not to be kept. @throws Error when it was closed or released */
  get number(): number {
    if (this.#number === undefined) throw new Error('the file descriptor has been closed');
    return this.#number;
  }

  /** For an owner of another kind, such as a stream of Node's. */
  release(): number {
    const { number } = this;
    this.#number = undefined;
    return number;
  }

  /** A second number for the same open file, with its own end. */
  duplicate(): Descriptor {
    return new Descriptor(call(fcntl(this.number, F.DUPFD_CLOEXEC, 3)));
  }

  /** Idempotent. */
  close(): void {
    if (this.isOpen) call(close(this.release()));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
