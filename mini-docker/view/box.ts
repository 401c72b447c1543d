// One look at a box: a container, or a learner's sandbox. Everything is read from /proc, netlink and control groups.
import type { BoxView, NamespaceView } from '../formats/view.ts';
import { readGroups } from './groups.ts';
import { readMounts } from './mounts.ts';
import { type Neighbour, readNamespaces } from './namespaces.ts';
import { readNetworks } from './network.ts';
import { readProcesses, readRights } from './processes.ts';

/** Processes that are read in depth; the others are counted. */
const MOST = 200;

export interface Box {
  id: string;
  /** Host pid of its process 1. */
  main: number;
  pids: readonly number[];
  /** The other boxes. */
  neighbours: readonly Neighbour[];
}

/** Namespaces of one type whose mounts or links are read. */
const MOST_NAMESPACES = 8;

/** undefined when it has ended. */
export async function readBox({ id, main, pids, neighbours }: Box): Promise<BoxView | undefined> {
  const rights = readRights(main);
  if (rights === undefined) return undefined;
  const sorted = [main, ...pids.filter(pid => pid !== main).sort((a, b) => a - b)];
  const read = sorted.slice(0, MOST);
  const namespaces = readNamespaces({ main, pids: read, neighbours });
  const each = (type: string) => membersOf(namespaces, type);
  return {
    id,
    pid: main,
    processes: await readProcesses(read),
    more: sorted.length - read.length,
    namespaces,
    mounts: each('mnt').map(({ inode, pid }) => ({ inode, pid, ...readMounts(pid) })),
    groups: readGroups(read),
    networks: readNetworks(each('net')),
    published: [],
    rights,
  };
}

/** A process of each namespace of a type. */
function membersOf(namespaces: readonly NamespaceView[], type: string): { inode: number; pid: number }[] {
  return namespaces
    .filter(each => each.type === type)
    .slice(0, MOST_NAMESPACES)
    .map(({ inode, pids }) => ({ inode, pid: pids[0]! }));
}
