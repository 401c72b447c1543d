// Work in another network or UTS namespace: the calling thread enters it, works synchronously, and returns.

import { openSync } from 'node:fs';
import { call } from './call.ts';
import { CLONE } from './constants.ts';
import { Descriptor } from './descriptor.ts';
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

/**
 * Runs `work` with this thread in the network namespace of the descriptor. Sockets that `work` opens stay
 * there, as do processes that it spawns. The other threads of this process are not affected, since each
 * thread has its own namespace (namespaces(7)). `work` must be synchronous: after an await the thread is back
 * in its own namespace.
 * @throws SyscallError EPERM without CAP_SYS_ADMIN
 */
export function inNetworkNamespace<T>(fd: number, work: () => T extends PromiseLike<unknown> ? never : T): T {
  return inNamespace(fd, { name: 'net', flag: CLONE.NEWNET }, work) as T;
}

/** The same in the UTS namespace of a process, where os.hostname() is its name. @throws also ENOENT when it has ended */
export function inUtsNamespaceOf<T>(pid: number, work: () => T extends PromiseLike<unknown> ? never : T): T {
  using namespace = new Descriptor(openSync(`/proc/${pid}/ns/uts`, 'r'));
  return inNamespace(namespace.number, { name: 'uts', flag: CLONE.NEWUTS }, work) as T;
}

interface Kind {
  name: string;
  flag: number;
}

function inNamespace<T>(fd: number, { name, flag }: Kind, work: () => T): T {
  using home = new Descriptor(openSync(`/proc/thread-self/ns/${name}`, 'r'));
  call(setns(fd, flag));
  try {
    return work();
  } finally {
    goHome(home.number, flag);
  }
}

function goHome(home: number, flag: number): void {
  try {
    call(setns(home, flag));
  } catch (error) {
    // Otherwise this thread would silently create all later sockets in the container's namespace.
    console.error('cannot return to the own namespace:', error);
    process.abort();
  }
}
