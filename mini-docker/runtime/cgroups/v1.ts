// The driver for cgroups v1: one directory in each hierarchy. Kernel: Documentation/admin-guide/cgroup-v1/.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { AT, O } from '../../linux/constants.ts';
import { because, resultOf, type Step } from '../../linux/step.ts';
import { close, openat, writeText } from '../../linux/syscalls.ts';
import type { Stats } from '../container.ts';
import type { Cgroup } from './cgroup.ts';
import {
  childGroups,
  makeGroup,
  processesBelow,
  readNumber,
  readTable,
  readValue,
  removeEmpty,
  removeGroup,
  writeValue,
} from './files.ts';
import type { HierarchiesV1 } from './hierarchies.ts';
import { freezeAll, killAll } from './kill.ts';
import { missingController } from './limits.ts';
import { watchOomV1 } from './oom-watch.ts';
import { noteParents, removeOurParents } from './parents.ts';
import { decodeBlkioV1, effectiveMemoryLimit, onlineCpus } from './stats.ts';
import { applyLimitsV1 } from './v1-limits.ts';

/** @throws CgroupError when a limit is refused; nothing is left then */
export function createV1(
  { hierarchies }: HierarchiesV1,
  { path, resources }: { path: string; resources: Resources },
): Cgroup {
  const made: string[] = [];
  try {
    for (const { mountPoint, controllers } of hierarchies) {
      const group = makeGroup(mountPoint, path);
      noteParents(group);
      made.push(...group);
      if (!controllers.includes('cpuset')) continue;
      leaveBalanceToParent(mountPoint + path);
      inheritCpuset(mountPoint + path, mountPoint);
    }
    const cgroup = v1Driver(path, placesOf(hierarchies, path));
    cgroup.update(resources);
    return cgroup;
  } catch (error) {
    for (const directory of made.reverse()) removeEmpty(directory);
    throw error;
  }
}

export function openV1({ hierarchies }: HierarchiesV1, path: string): Cgroup | undefined {
  const places = placesOf(hierarchies, path).filter(({ directory }) => existsSync(directory));
  return places.length > 0 ? v1Driver(path, places) : undefined;
}

/** A driver for steps that are only printed. */
export function driverV1({ hierarchies }: HierarchiesV1, path: string): Cgroup {
  return v1Driver(path, placesOf(hierarchies, path));
}

/**
 * Balancing a cpuset changes nothing where its parent is balanced (generate_sched_domains() in kernel/cgroup/cpuset.c). But when
 * a balanced one ends, the kernel plans the processors of the machine anew, goes several times through all cpusets, and keeps
 * all changes of control groups waiting. As long as the cpuset has no processors, this write makes it plan nothing either.
 */
function leaveBalanceToParent(directory: string): void {
  const name = 'cpuset.sched_load_balance';
  if (readValue(`${dirname(directory)}/${name}`) === '1') writeValue(`${directory}/${name}`, '0');
}

/**
 * A new cpuset has no cpus and no memory, and no process can join it: it copies its parent's. Empty parents are ours, too.
 */
function inheritCpuset(directory: string, mountPoint: string): void {
  if (readValue(`${directory}/cpuset.mems`) !== '' && readValue(`${directory}/cpuset.cpus`) !== '') return;
  const parent = dirname(directory);
  if (parent !== mountPoint && readValue(`${parent}/cpuset.mems`) === '') inheritCpuset(parent, mountPoint);
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeValue(`${directory}/${file}`, readValue(`${parent}/${file}`) ?? '');
  }
}

interface Place {
  directory: string;
  controllers: string[];
  mountPoint: string;
}

function placesOf(hierarchies: HierarchiesV1['hierarchies'], path: string): Place[] {
  return hierarchies.map(({ mountPoint, controllers }) => {
    return { directory: mountPoint + path, controllers, mountPoint };
  });
}

function v1Driver(path: string, places: Place[]): Cgroup {
  const directoryOf = (controller: string) =>
    places.find(({ controllers }) => controllers.includes(controller))?.directory;
  const directories = places.map(({ directory }) => directory);
  // Any hierarchy lists all processes; cgroups that the container makes are in the freezer's as in the
  // others.
  const members = directoryOf('freezer') ?? directories[0]!;
  const freezer = (why: string) => {
    const directory = directoryOf('freezer');
    if (directory === undefined) throw missingController('freezer', why);
    return `${directory}/freezer.state`;
  };

  const oomControl = () => readTable(`${directoryOf('memory')}/memory.oom_control`);
  /** Rises with each kill; with the OOM killer disabled, while processes wait for memory. */
  const outOfMemory = () => {
    const { oom_kill = 0, oom_kill_disable = 0, under_oom = 0 } = oomControl();
    return oom_kill + (oom_kill_disable === 1 ? under_oom : 0);
  };

  return {
    version: 1,
    path,
    directories,

    joinSteps(): Step[] {
      return places.flatMap(({ directory, controllers }) => {
        // Writing '0' to `tasks` moves the caller alone, which needs no lock against fork and exit on all
        // CPUs: that lock waits for an RCU grace period, up to 20 ms (cgroup_procs_write_start in
        // kernel/cgroup/cgroup.c). The unified hierarchy has no `tasks`.
        const file = controllers.includes('') ? 'cgroup.procs' : 'tasks';
        const name = controllers.join(',') || 'unified';
        const opened = because(
          `join the ${name} cgroup`,
          openat(AT.FDCWD, `${directory}/${file}`, O.WRONLY | O.CLOEXEC, 0),
        );
        return [opened, writeText(resultOf(opened), '0'), close(resultOf(opened))];
      });
    },

    join(pid) {
      for (const directory of directories) writeValue(`${directory}/cgroup.procs`, String(pid));
    },

    update: resources => applyLimitsV1(directoryOf, resources),

    async freeze() {
      const file = freezer('the container to sleep');
      await freezeAll({
        freeze: () => writeValue(file, 'FROZEN'),
        isFrozen: () => readValue(file) === 'FROZEN',
        thaw: () => writeValue(file, 'THAWED'),
      });
    },

    async thaw() {
      writeValue(freezer('the container to go on'), 'THAWED');
    },

    isFrozen: () => /^FR/.test(readValue(`${directoryOf('freezer')}/freezer.state`) ?? ''),

    processes: () => processesBelow(members),
    stats: () => readStats(directoryOf),
    oomKills: () => oomControl().oom_kill ?? 0,

    watchOomKills(onKill) {
      const directory = directoryOf('memory');
      if (directory === undefined) return { stop: () => {} };
      return watchOomV1(directory, outOfMemory, onKill);
    },

    kill() {
      const state = directoryOf('freezer');
      killAll({
        processes: () => processesBelow(members),
        freeze: () => state !== undefined && writeValue(`${state}/freezer.state`, 'FROZEN'),
        // In version 1 a frozen process does not even die of SIGKILL before it is thawed.
        thaw: () => state !== undefined && thawBelow(state),
      });
    },

    async delete() {
      for (const directory of directories) await removeGroup(directory);
      for (const { mountPoint } of places) removeOurParents(mountPoint, path);
    },
  };
}

function thawBelow(directory: string): void {
  if (existsSync(directory)) writeValue(`${directory}/freezer.state`, 'THAWED');
  for (const child of childGroups(directory)) thawBelow(child);
}

function readStats(directoryOf: (controller: string) => string | undefined): Stats {
  const cpuacct = directoryOf('cpuacct');
  const memory = directoryOf('memory');
  const pids = directoryOf('pids');
  const blkio = directoryOf('blkio');
  // cpuacct.stat counts clock ticks, which are 10 ms in user space on both architectures.
  const ticks = readTable(`${cpuacct}/cpuacct.stat`);
  const throttling = readTable(`${directoryOf('cpu')}/cpu.stat`);
  const pidsLimit = readNumber(`${pids}/pids.max`);
  const perCpu = (readValue(`${cpuacct}/cpuacct.usage_percpu`) ?? '').split(' ').filter(word => word !== '');
  return {
    cpu: {
      total: readNumber(`${cpuacct}/cpuacct.usage`),
      user: (ticks.user ?? 0) * 10_000_000,
      system: (ticks.system ?? 0) * 10_000_000,
      perCpu: perCpu.map(Number),
      throttling: {
        periods: throttling.nr_periods ?? 0,
        throttledPeriods: throttling.nr_throttled ?? 0,
        throttledTime: throttling.throttled_time ?? 0,
      },
      onlineCpus: onlineCpus(),
    },
    memory: {
      usage: readNumber(`${memory}/memory.usage_in_bytes`),
      maxUsage: readNumber(`${memory}/memory.max_usage_in_bytes`),
      limit: effectiveMemoryLimit(readNumber(`${memory}/memory.limit_in_bytes`) || Number.POSITIVE_INFINITY),
      stats: readTable(`${memory}/memory.stat`),
      failcnt: readNumber(`${memory}/memory.failcnt`),
    },
    pids: {
      current: readNumber(`${pids}/pids.current`),
      ...(Number.isFinite(pidsLimit) && pidsLimit > 0 ? { limit: pidsLimit } : {}),
    },
    blkio: {
      serviceBytes: decodeBlkioV1(readValue(`${blkio}/blkio.throttle.io_service_bytes_recursive`) ?? ''),
      serviced: decodeBlkioV1(readValue(`${blkio}/blkio.throttle.io_serviced_recursive`) ?? ''),
    },
  };
}
