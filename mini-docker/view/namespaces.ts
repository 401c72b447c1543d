// The namespaces that a box's processes are in, and who else is in them.

import { hostname } from 'node:os';
import { quietly } from '../formats/quietly.ts';
import type { NamespaceView } from '../formats/view.ts';
import { inUtsNamespaceOf } from '../linux/network-namespace.ts';
import { type NamespaceName, namespaceInode } from '../linux/proc/namespaces.ts';

export const NAMESPACES: readonly NamespaceName[] = [
  'pid',
  'mnt',
  'net',
  'ipc',
  'uts',
  'cgroup',
  'user',
  'time',
];

/** Another box, to say with whom a namespace is shared. */
export interface Neighbour {
  name: string;
  /** Host pid of its process 1. */
  pid: number;
}

/** One entry for each namespace, the process 1's before those that other processes have made. */
export function readNamespaces(options: {
  main: number;
  pids: readonly number[];
  neighbours: readonly Neighbour[];
}): NamespaceView[] {
  const { main, pids, neighbours } = options;
  const ordered = [main, ...pids.filter(pid => pid !== main)];
  return NAMESPACES.flatMap(type => {
    const members = new Map<number, number[]>();
    for (const pid of ordered) {
      const inode = inodeOf(pid, type);
      if (inode === undefined) continue;
      const found = members.get(inode);
      if (found === undefined) members.set(inode, [pid]);
      else found.push(pid);
    }
    const hosts = inodeOf('self', type) ?? 0;
    return [...members].map(([inode, inIt]) => ({
      type,
      inode,
      hosts,
      ...(type === 'uts' && inode !== hosts ? hostnameIn(inIt[0]!) : {}),
      others: neighbours.filter(({ pid }) => neighbourInode(pid, type) === inode).map(({ name }) => name),
      pids: inIt,
    }));
  });
}

/** A neighbour rarely changes its namespaces, and there may be hundreds. */
const known = new Map<string, number | undefined>();
/** Milliseconds, and the time of the first of those known. */
const KEPT = 5000;
let knownSince = 0;

function neighbourInode(pid: number, type: NamespaceName): number | undefined {
  if (Date.now() - knownSince > KEPT) {
    known.clear();
    knownSince = Date.now();
  }
  const key = `${pid} ${type}`;
  if (!known.has(key)) known.set(key, inodeOf(pid, type));
  return known.get(key);
}

/** Without the right to enter the namespace, nothing. */
function hostnameIn(pid: number): { hostname?: string } {
  return quietly(() => ({ hostname: inUtsNamespaceOf(pid, () => hostname()) })) ?? {};
}

/** A process of another user, or of a sandbox that has put itself out of sight, cannot be read without rights. */
function inodeOf(pid: number | 'self', type: NamespaceName): number | undefined {
  return quietly(() => namespaceInode(pid, type));
}
