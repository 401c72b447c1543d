// Containers of a daemon that may make no control group: an ordinary user's, where the machine has version 1
// or delegates none. Limits are refused, and a container's processes are those in its mount namespace.

import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { quietly } from '../../formats/quietly.ts';
import { namespaceInode } from '../../linux/proc/namespaces.ts';
import { allPids } from '../../linux/proc/pids.ts';
import { readStat } from '../../linux/proc/stat.ts';
import type { Stats } from '../container.ts';
import { type Cgroup, CgroupError } from './cgroup.ts';
import type { NoHierarchy } from './hierarchies.ts';
import { killAll } from './kill.ts';
import type { Limit } from './limits.ts';
import { effectiveMemoryLimit, onlineCpus } from './stats.ts';
import { applyLimitsV1 } from './v1-limits.ts';

const PAGE = 4096;
const TICK = 10_000_000;

/** @throws CgroupError when a limit is asked for */
export function createNone(hierarchy: NoHierarchy, options: { path: string; resources: Resources }): Cgroup {
  refuseLimits(hierarchy, options.resources);
  return openNone(hierarchy, options.path);
}

/** @throws CgroupError that names the first limit */
export function refuseLimits({ reason }: NoHierarchy, resources: Resources): void {
  // Device rules come with every container. They are not needed: no node can be made in a user namespace.
  const { devices: _, ...limits } = resources;
  const refuse = ({ option }: Limit): never => {
    throw new CgroupError(`cannot set ${option}: ${reason}`);
  };
  applyLimitsV1(() => undefined, limits, refuse);
}

export function openNone({ reason }: NoHierarchy, path: string): Cgroup {
  /** The container's mount namespace. */
  let members: number | undefined;
  const processes = (): number[] => {
    return members === undefined ? [] : allPids().filter(pid => mountNamespace(pid) === members);
  };
  return {
    version: 'none',
    path,
    directories: [],
    joinSteps: () => [],
    join(pid) {
      members = mountNamespace(pid);
    },
    update: resources => refuseLimits({ version: 'none', reason }, resources),
    async freeze() {
      throw new CgroupError(`cannot pause the container: ${reason}`);
    },
    async thaw() {},
    isFrozen: () => false,
    processes,
    stats: () => statsOf(processes()),
    oomKills: () => 0,
    watchOomKills: () => ({ stop: () => {} }),
    kill: () => killAll({ processes, freeze: () => {}, thaw: () => {} }),
    async delete() {},
  };
}

/** undefined for a process that has ended, and for one of another user. */
function mountNamespace(pid: number): number | undefined {
  return quietly(() => namespaceInode(pid, 'mnt'));
}

/** The use of the processes that run now; without a group the kernel keeps no count for those that have ended. */
function statsOf(pids: readonly number[]): Stats {
  const all = pids.flatMap(pid => readStat(pid) ?? []);
  const sum = (value: (stat: (typeof all)[number]) => number): number =>
    all.reduce((total, stat) => total + value(stat), 0);
  const [user, system] = [sum(stat => stat.userTime) * TICK, sum(stat => stat.systemTime) * TICK];
  return {
    cpu: {
      total: user + system,
      user,
      system,
      throttling: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
      onlineCpus: onlineCpus(),
    },
    memory: {
      usage: sum(stat => stat.residentPages) * PAGE,
      limit: effectiveMemoryLimit(Number.POSITIVE_INFINITY),
      stats: {},
    },
    pids: { current: all.length },
    blkio: { serviceBytes: [], serviced: [] },
  };
}
