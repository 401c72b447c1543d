// Pipes, and Node's streams over descriptors that we opened ourselves.
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { call } from './call.ts';
import { F, O } from './constants.ts';
import { mayFail } from './step.ts';
import { fcntl, pipe2 } from './syscalls.ts';

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * pipe2(2). Both ends are the caller's to close.
 * @param options.cloexec true unless said otherwise
 * @param options.capacity in bytes, 65536 unless said otherwise; beyond what the user may have
 *   (/proc/sys/fs/pipe-max-size, pipe-user-pages-soft) it stays as it is
 */
export function pipe(options: { cloexec?: boolean; capacity?: number } = {}): Pipe {
  const { cloexec = true, capacity } = options;
  const ends = Buffer.alloc(8);
  call(pipe2(ends, cloexec ? O.CLOEXEC : 0));
  const writeEnd = ends.readInt32LE(4);
  if (capacity !== undefined) call(mayFail(fcntl(writeEnd, F.SETPIPE_SZ, capacity), 'EPERM', 'EBUSY'));
  return { readEnd: ends.readInt32LE(0), writeEnd };
}

/**
 * A stream that reads a pipe, a FIFO or a socket on demand. The stream owns the descriptor from
 * here on. It becomes non-blocking for all who share it: keep the end that a child gets out of this.
 */
export function readableOf(fd: number): Readable {
  return new Socket({ fd, readable: true, writable: false });
}

/** What goes into a pipe, a FIFO or a socket; as for readableOf. After the reader is gone it emits an error EPIPE. */
export function writableOf(fd: number): Writable {
  return new Socket({ fd, readable: false, writable: true });
}
