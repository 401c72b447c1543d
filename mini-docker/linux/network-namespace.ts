// Working in another network namespace: the calling thread visits it, synchronously, and comes back.
import { closeSync, openSync } from 'node:fs';
import { call } from './call.ts';
import { CLONE } from './constants.ts';
import { setns } from './syscalls.ts';

/** A process's network namespace, or a file that one is mounted on. */
export type NetworkNamespace = { pid: number } | { path: string };

/** Opens it; the descriptor keeps it alive. @throws Error ENOENT, when the process is gone */
export function openNetworkNamespace(namespace: NetworkNamespace): number {
  return openSync('pid' in namespace ? `/proc/${namespace.pid}/ns/net` : namespace.path, 'r');
}

/**
 * Runs `work` with this thread in the network namespace of the descriptor. Sockets that it opens stay there, as do
 * processes that it spawns; everything else in this process, pool threads included, does not notice (a namespace
 * belongs to a thread, namespaces(7)). `work` must be synchronous: after an await the thread is home again.
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
    // Every later socket of this thread would be made in the container's namespace, and nobody would see it.
    console.error('cannot return to the own network namespace:', error);
    process.abort();
  }
}
