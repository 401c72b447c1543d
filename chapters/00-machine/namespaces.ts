// Which namespaces a process is in: the kernel shows them as links, /proc/PID/ns/KIND → 'uts:[4026531838]'.
import { readlinkSync } from 'node:fs';

/** The eight kinds of namespaces(7), and what each one gives a process a view of. */
export const KINDS = {
  cgroup: 'where its control group tree begins',
  ipc: 'shared memory and message queues',
  mnt: 'the tree of mounts',
  net: 'links, addresses, ports',
  pid: 'the numbers of processes',
  time: 'the clocks that count from boot',
  user: 'who is root',
  uts: 'the host name',
} as const;

export type Kind = keyof typeof KINDS;

export const kinds = Object.keys(KINDS) as Kind[];

/** 'uts:[4026531838]'. The number is the namespace's inode: equal number, same namespace. */
export function namespaceOf(pid: number | 'self', kind: Kind): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`);
}
