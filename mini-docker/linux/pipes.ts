// Pipes, and Node's streams over descriptors that this process opened.
import type { Readable, Writable } from 'node:stream';
import { call } from './call.ts';
import { F, O } from './constants.ts';
import { streamOver } from './on-demand.ts';
import { mayFail } from './step.ts';
import { fcntl, pipe2 } from './syscalls.ts';

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * pipe2(2). The caller has to close both ends.
 * @param options.cloexec true by default
 * @param options.capacity in bytes, 65536 by default; a capacity beyond the user's limits
 *   (/proc/sys/fs/pipe-max-size, pipe-user-pages-soft) is ignored
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
 * A stream that reads a pipe, a FIFO or a socket on demand. The stream owns the descriptor from now on. The
 * open file becomes non-blocking for every process that shares it, so never pass the end that a child uses.
 */
export function readableOf(fd: number): Readable {
  return streamOver(fd, 'read');
}

/**
 * A stream that writes to a pipe, a FIFO or a socket, under the rules of readableOf(). Without a reader it
 * emits EPIPE.
 */
export function writableOf(fd: number): Writable {
  return streamOver(fd, 'write');
}
