// Between a container's pipe and its log. A pipe gives its bytes away once: a daemon that has read some and is killed
// before they are in the log has lost them, and one that was killed after it would not know. So the kernel moves them,
// in one system call (splice(2)), into a file beside the container; only then they become log lines, and a few bytes in
// a third file (log-position.ts) say how far both are. A later daemon cuts the log there and goes on from there.

import { closeSync, fstatSync, ftruncateSync, readSync } from 'node:fs';
import { call } from '../../linux/call.ts';
import { F, O, SPLICE } from '../../linux/constants.ts';
import { ERRNO } from '../../linux/errno.ts';
import { openKept } from '../../linux/set-aside.ts';
import { mayFail } from '../../linux/step.ts';
import { fcntl, splice } from '../../linux/syscalls.ts';

/** A pipe's capacity: more does not come at once. */
const MOST = 64 * 1024;
/** When all of it has become log lines, a journal longer than this begins anew. */
const LONGEST = 1024 * 1024;

export interface Journal {
  /** How much of it has become log lines, for the position file. */
  readonly done: number;
  /** Nothing more can be taken until all of it has become log lines, and shrink() was called. */
  readonly isFull: boolean;
  /** What an earlier daemon took and did not bring to the log. */
  rest(): Uint8Array;
  /** Takes what there is now, behind what is there already. The descriptor must be non-blocking. */
  take(fd: number): Taken;
  /** So many more bytes have become log lines. */
  advance(count: number): void;
  /** Begins anew when it is long and nothing is left in it. True when it did: say so in the position file before anything is taken. */
  shrink(): boolean;
  close(): void;
}

/** What a read gave: bytes, 'later' (there is nothing now), or 'end'. */
export type Taken = Uint8Array | 'later' | 'end';

export class PipeJournal implements Journal {
  readonly #fd: number | undefined;
  readonly #offset = new BigInt64Array(1);
  /** How much of it has become log lines. */
  #done: number;
  /** How much of it there is. */
  #size: number;
  /** There was no room for it. The program must go on nevertheless: without a journal, until it ends. */
  #broken = false;

  /** `done`: as an earlier daemon left it. */
  constructor(path: string, done = 0) {
    try {
      this.#fd = openKept(path, 0o600);
    } catch {
      this.#broken = true;
    }
    this.#size = this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
    // Shorter than what was done with it: it had been begun anew.
    this.#done = done > this.#size ? 0 : done;
  }

  readonly isFull = false;

  get done(): number {
    return this.#done;
  }

  rest(): Uint8Array {
    return this.#read(this.#done, this.#size - this.#done);
  }

  take(pipe: number): Taken {
    if (this.#broken) return takeDirectly(pipe);
    this.#offset[0] = BigInt(this.#size);
    const offset = new Uint8Array(this.#offset.buffer);
    const step = splice(pipe, null, this.#fd!, offset, MOST, SPLICE.NONBLOCK);
    const count = call(mayFail(step, '*'));
    if (count === 0) return 'end';
    if (count === -ERRNO.EAGAIN) return 'later';
    if (count === -ERRNO.EINTR) return this.take(pipe);
    if (count < 0) {
      this.#break();
      return takeDirectly(pipe);
    }
    this.#size += count;
    return this.#read(this.#size - count, count);
  }

  advance(count: number): void {
    if (!this.#broken) this.#done += count;
  }

  shrink(): boolean {
    if (this.#size < LONGEST || this.#done < this.#size) return false;
    ftruncateSync(this.#fd!, 0);
    this.#size = 0;
    this.#done = 0;
    return true;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #break(): void {
    this.#broken = true;
    this.#size = 0;
    this.#done = 0;
    ftruncateSync(this.#fd!, 0);
  }

  #read(from: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#fd!, bytes, done, length - done, from + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }
}

export function setNonBlocking(fd: number): void {
  call(fcntl(fd, F.SETFL, call(fcntl(fd, F.GETFL, 0)) | O.NONBLOCK));
}

const buffer = Buffer.alloc(MOST);

/** Without a journal, for who keeps no log. The descriptor must be non-blocking. */
export function takeDirectly(fd: number): Taken {
  try {
    const count = readSync(fd, buffer);
    return count === 0 ? 'end' : new Uint8Array(buffer.subarray(0, count));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return 'later';
    // No slave of the terminal is open any more (pty(7)).
    if (code === 'EIO') return 'end';
    throw error;
  }
}
