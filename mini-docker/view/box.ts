// One look at a box: a container, or a learner's sandbox. Everything is read from /proc, netlink and control groups.
import type { BoxView } from '../formats/view.ts';
import { readGroups } from './groups.ts';
import { readMounts } from './mounts.ts';
import { type Neighbour, readNamespaces } from './namespaces.ts';
import { readNetwork } from './network.ts';
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

/** undefined when it has ended. */
export async function readBox({ id, main, pids, neighbours }: Box): Promise<BoxView | undefined> {
  const rights = readRights(main);
  if (rights === undefined) return undefined;
  const sorted = [main, ...pids.filter(pid => pid !== main).sort((a, b) => a - b)];
  const read = sorted.slice(0, MOST);
  return {
    id,
    pid: main,
    processes: await readProcesses(read),
    more: sorted.length - read.length,
    namespaces: readNamespaces({ main, pids: read, neighbours }),
    mounts: readMounts(main),
    groups: readGroups(read),
    network: readNetwork(main),
    rights,
  };
}
