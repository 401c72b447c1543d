// Work in another network namespace: the calling thread enters it, works synchronously, and returns.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { call } from './call.ts';
import { CLONE } from './constants.ts';
import { setns } from './syscalls.ts';

/** The network namespace of a process, or one that is mounted on a file. */
export type NetworkNamespace = { pid: number } | { path: string };

/**
 * Opens a network namespace; the descriptor keeps it alive.
 * @throws Error with ENOENT when the process has ended
 */
export function openNetworkNamespace(namespace: NetworkNamespace): number {
  return openSync('pid' in namespace ? `/proc/${namespace.pid}/ns/net` : namespace.path, 'r');
}

/** Whether the descriptor's namespace is the one that this process is in. */
export function isOwnNetworkNamespace(fd: number): boolean {
  return fstatSync(fd).ino === statSync('/proc/self/ns/net').ino;
}

/**
 * Runs `work` with this thread in the network namespace of the descriptor. Sockets that `work` opens stay
 * there, as do processes that it spawns. The other threads of this process are not affected, since each
 * thread has its own namespace (namespaces(7)). `work` must be synchronous: after an await the thread is back
 * in its own namespace.
 * @throws SyscallError EPERM without CAP_SYS_ADMIN
 */
export function inNetworkNamespace<T>(fd: number, work: () => T extends PromiseLike<unknown> ? never : T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    call(setns(fd, CLONE.NEWNET));
    try {
      return work();
    } finally {
      goHome(home);
    }
  } finally {
    closeSync(home);
  }
}

function goHome(home: number): void {
  try {
    call(setns(home, CLONE.NEWNET));
  } catch (error) {
    // Otherwise this thread would silently create all later sockets in the container's namespace.
    console.error('cannot return to the own network namespace:', error);
    process.abort();
  }
}
