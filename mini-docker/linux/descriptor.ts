// The kernel reuses the number of a closed descriptor for the next file. Code that kept the old number would
// read, write or signal something unrelated; so a descriptor that outlives a function has an owner.
import { call } from './call.ts';
import { F } from './constants.ts';
import { moveUp } from './descriptor-room.ts';
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

  /**
   * The descriptor's number, to be used at once and not kept.
   * @throws Error when it has been closed or released
   */
  get number(): number {
    if (this.#number === undefined) throw new Error('the file descriptor has been closed');
    return this.#number;
  }

  /** Gives the descriptor to an owner of another kind, such as one of Node's streams. */
  release(): number {
    const { number } = this;
    this.#number = undefined;
    return number;
  }

  /** Changes the number of a descriptor that will live as long as a container. */
  moveUp(): void {
    this.#number = moveUp(this.number);
  }

  /** A second descriptor for the same open file, to be closed on its own. */
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
