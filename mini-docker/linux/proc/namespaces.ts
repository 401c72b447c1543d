// /proc/PID/ns: two processes are in the same namespace when the links there name the same inode. namespaces(7)
import { readlinkSync } from 'node:fs';
import { isGone, type Pid } from './file.ts';

/**
 * Names in /proc/PID/ns. `…_for_children` is the namespace of future children, after
 * unshare(2) or setns(2).
 */
export type NamespaceName =
  | 'cgroup'
  | 'ipc'
  | 'mnt'
  | 'net'
  | 'pid'
  | 'pid_for_children'
  | 'time'
  | 'time_for_children'
  | 'user'
  | 'uts';

/**
 * Inode of a namespace ('mnt:[4026531841]'); undefined when the process has ended or the kernel lacks the
 * type.
 */
export function namespaceInode(pid: Pid, name: NamespaceName): number | undefined {
  try {
    const link = readlinkSync(`/proc/${pid}/ns/${name}`);
    const inode = Number(/\[(\d+)\]$/.exec(link)?.[1]);
    if (Number.isNaN(inode))
      throw new Error(`/proc/${pid}/ns/${name}: it points at ${link}, not at a namespace`);
    return inode;
  } catch (error) {
    // A zombie has left all namespaces but pid and user: the links exist, but readlink fails with ENOENT.
    if (isGone(error)) return undefined;
    throw error;
  }
}
