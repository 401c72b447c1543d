// The step between a container's pipe and its log. A pipe delivers its bytes only once: if a daemon is killed
// after reading some and before logging them, they are lost, and a later daemon cannot know. Therefore the
// kernel moves them, in one system call (splice(2)), into a file beside the container; only then do they
// become log lines, and a few bytes in a third file (log-position.ts) record how far both are. A later daemon
// truncates the log there and continues.

import { closeSync, fstatSync, ftruncateSync, readSync } from 'node:fs';
import { call } from '../../linux/call.ts';
import { F, O, SPLICE } from '../../linux/constants.ts';
import { ERRNO } from '../../linux/errno.ts';
import { openKept } from '../../linux/set-aside.ts';
import { mayFail } from '../../linux/step.ts';
import { fcntl, ppoll, splice } from '../../linux/syscalls.ts';

/** Bytes of a read: a pipe's capacity. */
const MOST = 64 * 1024;
/** A longer journal starts afresh once all of it has become log lines. Bytes. */
const LONGEST = 1024 * 1024;

export interface Journal {
  /** Bytes that have become log lines, for the position file. */
  readonly done: number;
  /**
   * Whether it is full: nothing more can be taken until all of it has become log lines and shrink() was
   * called.
   */
  readonly isFull: boolean;
  /** The bytes that an earlier daemon took and did not log. */
  rest(): Uint8Array;
  /** Appends the bytes that are available now. The descriptor must be non-blocking. */
  take(fd: number): Taken;
  /** Counts `count` more bytes as logged. */
  advance(count: number): void;
  /**
   * Starts afresh if the journal is long and all of it is logged. True when it did: write the position file
   * before taking more.
   */
  shrink(): boolean;
  close(): void;
}

/** Result of a read: bytes, 'later' (none available now), or 'end'. */
export type Taken = Uint8Array | 'later' | 'end';

export class PipeJournal implements Journal {
  readonly #fd: number | undefined;
  readonly #offset = new BigInt64Array(1);
  /** Bytes that have become log lines. */
  #done: number;
  /** Bytes in the journal. */
  #size: number;
  /**
   * Set when the disk had no room. The program must keep running: from then on its output is read without a
   * journal.
   */
  #broken = false;

  /** `done`: the position that an earlier daemon recorded. */
  constructor(path: string, done = 0) {
    try {
      this.#fd = openKept(path, 0o600);
    } catch {
      this.#broken = true;
    }
    this.#size = this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
    // Shorter than the recorded position: the journal had been started afresh.
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

/** struct pollfd { int fd; short events, revents; } <poll.h> */
const pollfd = Buffer.alloc(8);
const POLLIN = 1;
const POLLHUP = 0x10;
const AT_ONCE = new Uint8Array(16);

/** What a read would give, without taking it: a program that prints nothing needs no journal. */
export function glance(fd: number): 'data' | 'later' | 'end' {
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(POLLIN, 4);
  call(ppoll(pollfd, 1, AT_ONCE, null, 0));
  const seen = pollfd.readInt16LE(6);
  return seen === 0 ? 'later' : seen === POLLHUP ? 'end' : 'data';
}

const buffer = Buffer.alloc(MOST);

/** Reads directly; used when logging is off. The descriptor must be non-blocking. */
export function takeDirectly(fd: number): Taken {
  try {
    const count = readSync(fd, buffer);
    return count === 0 ? 'end' : new Uint8Array(buffer.subarray(0, count));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return 'later';
    // All slave ends of the terminal are closed (pty(7)).
    if (code === 'EIO') return 'end';
    throw error;
  }
}
