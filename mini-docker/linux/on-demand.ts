// Parts of Node that take milliseconds to load, for code that most starts do not reach.
import type * as childProcess from 'node:child_process';
import type * as net from 'node:net';

/** spawnSync() of node:child_process, which takes 4 ms to load. */
export const spawnSync: typeof childProcess.spawnSync = ((
  ...args: Parameters<typeof childProcess.spawnSync>
) => process.getBuiltinModule('node:child_process').spawnSync(...args)) as typeof childProcess.spawnSync;

/** A stream over a pipe, a FIFO or a socket, which owns the descriptor from now on. node:net takes 4 ms to load. */
export function streamOver(fd: number, direction: 'read' | 'write'): net.Socket {
  const { Socket } = process.getBuiltinModule('node:net');
  return new Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
}
