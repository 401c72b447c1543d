// The driver for cgroups v1: one directory in each hierarchy. Kernel: Documentation/admin-guide/cgroup-v1/.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { AT, O } from '../../linux/constants.ts';
import { because, resultOf, type Step } from '../../linux/step.ts';
import { close, openat, writeText } from '../../linux/syscalls.ts';
import type { Stats } from '../container.ts';
import type { Cgroup, GroupOptions } from './cgroup.ts';
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
import { choosesCpus, missingController } from './limits.ts';
import { watchOomV1 } from './oom-watch.ts';
import { keepsParentOf, noteParents, removeOurParents } from './parents.ts';
import { decodeBlkioV1, effectiveMemoryLimit, onlineCpus } from './stats.ts';
import {
  besideOwn,
  leaveShared,
  moveFromShared,
  prepareCpuset,
  removeShared,
  useShared,
} from './v1-cpuset.ts';
import { applyLimitsV1 } from './v1-limits.ts';

/** @throws CgroupError when a limit is refused; nothing is left then */
export function createV1(
  { hierarchies }: HierarchiesV1,
  options: GroupOptions & { resources: Resources },
): Cgroup {
  const { path, resources } = options;
  const places = placesOf(hierarchies, options);
  const made: string[] = [];
  const used: Place[] = [];
  try {
    for (const place of places) {
      if (!place.isShared) makePlace(place, { path, made });
      else {
        used.push(place);
        noteParents(useShared(place.directory, place.mountPoint));
      }
    }
    const cgroup = v1Driver(path, places);
    cgroup.update(resources);
    return cgroup;
  } catch (error) {
    for (const directory of made.reverse()) removeEmpty(directory);
    for (const place of used) leave(place, path);
    throw error;
  }
}

export function openV1({ hierarchies }: HierarchiesV1, path: string): Cgroup | undefined {
  const exists = ({ directory }: Place): boolean => existsSync(directory);
  const own = placesOf(hierarchies, { path });
  if (!own.some(exists)) return undefined;
  const sharing = placesOf(hierarchies, { path, sharesCpuset: true });
  const places = own.map((place, index) => (exists(place) ? place : sharing[index]!)).filter(exists);
  for (const { directory, mountPoint, isShared } of places) if (isShared) useShared(directory, mountPoint);
  return v1Driver(path, places);
}

/** A driver for steps that are only printed. */
export function driverV1({ hierarchies }: HierarchiesV1, options: GroupOptions): Cgroup {
  return v1Driver(options.path, placesOf(hierarchies, options));
}

interface Place {
  directory: string;
  controllers: string[];
  mountPoint: string;
  /** Whether it is a cpuset with other containers in it (v1-cpuset.ts). */
  isShared: boolean;
}

/** Where a container's processes are, in each hierarchy. */
export function placesOf(
  hierarchies: HierarchiesV1['hierarchies'],
  { path, sharesCpuset = false }: GroupOptions,
): Place[] {
  return hierarchies.map(({ mountPoint, controllers }) => {
    const isShared = sharesCpuset && controllers.join() === 'cpuset' && hierarchies.length > 1;
    const directory = mountPoint + (isShared ? besideOwn(path) : path);
    return { directory, controllers, mountPoint, isShared };
  });
}

/** @param options.made receives the directories that are made, the topmost first */
function makePlace(
  { directory, controllers, mountPoint }: Place,
  options: { path: string; made: string[] },
): void {
  const group = makeGroup(mountPoint, options.path);
  noteParents(group);
  options.made.push(...group);
  if (controllers.includes('cpuset')) prepareCpuset(directory, mountPoint);
}

/** The last container that leaves a shared cpuset takes it along, unless its parent is kept. */
function leave({ directory, mountPoint }: Place, path: string): void {
  leaveShared(directory);
  if (!keepsParentOf(path)) removeShared(dirname(directory));
  removeOurParents(mountPoint, path);
}

function v1Driver(path: string, all: readonly Place[]): Cgroup {
  let places = all;
  const placeOf = (controller: string) => places.find(({ controllers }) => controllers.includes(controller));
  const directoryOf = (controller: string) => placeOf(controller)?.directory;
  // Any hierarchy of its own lists all processes; cgroups that the container makes are in the freezer's as in the
  // others.
  const members = directoryOf('freezer') ?? places.find(({ isShared }) => !isShared)!.directory;
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
    get directories() {
      return places.map(({ directory }) => directory);
    },

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
      for (const { directory } of places) writeValue(`${directory}/cgroup.procs`, String(pid));
    },

    update(resources) {
      const cpuset = placeOf('cpuset');
      if (cpuset === undefined || !choosesCpus(resources)) return applyLimitsV1(directoryOf, resources);
      const own = { ...cpuset, directory: cpuset.mountPoint + path, isShared: false };
      const made: string[] = [];
      try {
        if (cpuset.isShared) makePlace(own, { path, made });
        applyLimitsV1(name => (name === 'cpuset' ? own.directory : directoryOf(name)), resources);
      } catch (error) {
        for (const directory of made.reverse()) removeEmpty(directory);
        throw error;
      }
      places = places.map(place => (place === cpuset ? own : place));
      try {
        const shared = cpuset.mountPoint + besideOwn(path);
        // Also where it has its own: an update may have been interrupted.
        moveFromShared({ shared, own: own.directory, processes: () => processesBelow(members) });
      } finally {
        if (cpuset.isShared) leave(cpuset, path);
      }
    },

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
      for (const { directory, isShared } of places) if (!isShared) await removeGroup(directory);
      for (const place of places) {
        if (place.isShared) leave(place, path);
        else removeOurParents(place.mountPoint, path);
      }
      places = places.filter(({ isShared }) => !isShared);
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
