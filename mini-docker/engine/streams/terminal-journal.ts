// A journal (journal.ts) for a terminal, which cannot be spliced into a file. read(2) puts the bytes into a
// file that is mapped into memory: they are there even when the daemon is killed between two machine
// instructions. The number of bytes is known too, since unwritten ones are zeros; only zeros at the very end
// of a terminal's output can be lost.

import { ftruncateSync } from 'node:fs';
import { call } from '../../linux/call.ts';
import { Descriptor } from '../../linux/descriptor.ts';
import { ERRNO } from '../../linux/errno.ts';
import { Mapping } from '../../linux/mapping.ts';
import { openKept } from '../../linux/set-aside.ts';
import { mayFail } from '../../linux/step.ts';
import { read } from '../../linux/syscalls.ts';
import { type Journal, type Taken, takeDirectly } from './journal.ts';

const LENGTH = 256 * 1024;
/** Bytes of one read. */
const MOST = 64 * 1024;

export class TerminalJournal implements Journal {
  readonly #mapping: Mapping | undefined;
  #done = 0;
  #size = 0;

  /**
   * `done`: the position that an earlier daemon recorded. If there is no room for it, output is read without
   * a journal.
   */
  constructor(path: string, done = 0) {
    try {
      using file = new Descriptor(openKept(path, 0o600));
      ftruncateSync(file.number, LENGTH);
      this.#mapping = new Mapping(LENGTH, file.number);
    } catch {
      return;
    }
    let end = LENGTH;
    while (end > 0 && this.#mapping.bytes[end - 1] === 0) end -= 1;
    // Only zeros: the journal had been started afresh.
    if (end === 0) return;
    this.#size = Math.max(end, done);
    this.#done = done;
  }

  get done(): number {
    return this.#done;
  }

  get isFull(): boolean {
    return this.#size === LENGTH;
  }

  rest(): Uint8Array {
    return this.#copy(this.#done, this.#size);
  }

  take(terminal: number): Taken {
    if (this.#mapping === undefined) return takeDirectly(terminal);
    const room = this.#mapping.bytes.subarray(this.#size, Math.min(this.#size + MOST, LENGTH));
    const count = call(mayFail(read(terminal, room), '*'));
    // All slave ends of the terminal are closed (pty(7)).
    if (count === 0 || count === -ERRNO.EIO) return 'end';
    if (count === -ERRNO.EAGAIN) return 'later';
    if (count === -ERRNO.EINTR) return this.take(terminal);
    // EFAULT: no page of the file could be allocated.
    if (count < 0) return takeDirectly(terminal);
    this.#size += count;
    return this.#copy(this.#size - count, this.#size);
  }

  advance(count: number): void {
    this.#done = Math.min(this.#done + count, this.#size);
  }

  shrink(): boolean {
    if (this.#mapping === undefined || this.#done < this.#size || this.#size < LENGTH - MOST) return false;
    // From the front: until it is finished, the bytes that remain at the end show the size.
    this.#mapping.bytes.fill(0, 0, this.#size);
    this.#size = 0;
    this.#done = 0;
    return true;
  }

  close(): void {
    this.#mapping?.close();
  }

  #copy(from: number, to: number): Uint8Array {
    return this.#mapping === undefined
      ? new Uint8Array()
      : Uint8Array.from(this.#mapping.bytes.subarray(from, to));
  }
}
