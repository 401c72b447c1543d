// The driver for cgroup v2: one directory for everything. Kernel: Documentation/admin-guide/cgroup-v2.rst.

import { existsSync } from 'node:fs';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { AT, O } from '../../linux/constants.ts';
import { because, resultOf } from '../../linux/step.ts';
import { close, openat, writeText } from '../../linux/syscalls.ts';
import type { BlkioEntry, Stats } from '../container.ts';
import type { Cgroup } from './cgroup.ts';
import {
  makeGroup,
  processesBelow,
  readNumber,
  readTable,
  readValue,
  removeEmpty,
  removeGroup,
  writeValue,
} from './files.ts';
import type { HierarchyV2 } from './hierarchies.ts';
import { freezeAll, killAll } from './kill.ts';
import { watchOomV2 } from './oom-watch.ts';
import { noteParents, removeOurParents } from './parents.ts';
import { effectiveMemoryLimit, onlineCpus, readPressure } from './stats.ts';
import { enableControllers } from './v2-controllers.ts';
import { applyDevicesV2, applyLimitsV2 } from './v2-limits.ts';

/**
 * @throws CgroupError when a limit is refused, SyscallError when the device rules are; nothing is left then
 */
export function createV2(
  { mountPoint }: HierarchyV2,
  { path, resources }: { path: string; resources: Resources },
): Cgroup {
  const made = makeGroup(mountPoint, path);
  noteParents(made);
  try {
    enableControllers(mountPoint, path);
    const cgroup = driverV2({ mountPoint }, path);
    cgroup.update(resources);
    return cgroup;
  } catch (error) {
    for (const directory of made.reverse()) removeEmpty(directory);
    throw error;
  }
}

export function openV2({ mountPoint }: HierarchyV2, path: string): Cgroup | undefined {
  return existsSync(mountPoint + path) ? driverV2({ mountPoint }, path) : undefined;
}

/** The cgroup need not exist yet, where only its steps are printed. */
export function driverV2({ mountPoint }: Pick<HierarchyV2, 'mountPoint'>, path: string): Cgroup {
  const directory = mountPoint + path;
  return {
    version: 2,
    path,
    directories: [directory],

    joinSteps() {
      const opened = because(
        'join the cgroup',
        openat(AT.FDCWD, `${directory}/cgroup.procs`, O.WRONLY | O.CLOEXEC, 0),
      );
      return [opened, writeText(resultOf(opened), '0'), close(resultOf(opened))];
    },

    join: pid => writeValue(`${directory}/cgroup.procs`, String(pid)),
    update(resources) {
      applyLimitsV2(directory, resources);
      applyDevicesV2(directory, resources);
    },

    async freeze() {
      await freezeAll({
        freeze: () => writeValue(`${directory}/cgroup.freeze`, '1'),
        isFrozen: () => readTable(`${directory}/cgroup.events`).frozen === 1,
        thaw: () => writeValue(`${directory}/cgroup.freeze`, '0'),
      });
    },

    async thaw() {
      writeValue(`${directory}/cgroup.freeze`, '0');
    },

    isFrozen: () => readValue(`${directory}/cgroup.freeze`) === '1',

    processes: () => processesBelow(directory),
    stats: () => readStats(directory),
    oomKills: () => readTable(`${directory}/memory.events`).oom_kill ?? 0,

    watchOomKills(onKill) {
      const file = `${directory}/memory.events`;
      if (!existsSync(file)) return { stop: () => {} };
      return watchOomV2(file, this.oomKills, onKill);
    },

    kill() {
      if (!existsSync(directory)) return;
      // Exists since Linux 5.14; it leaves no gap for a fork, and includes the children.
      if (existsSync(`${directory}/cgroup.kill`)) return writeValue(`${directory}/cgroup.kill`, '1');
      killAll({
        processes: () => processesBelow(directory),
        freeze: () => writeValue(`${directory}/cgroup.freeze`, '1'),
        thaw: () => existsSync(directory) && writeValue(`${directory}/cgroup.freeze`, '0'),
      });
    },

    async delete() {
      await removeGroup(directory);
      removeOurParents(mountPoint, path);
    },
  };
}

function readStats(directory: string): Stats {
  const cpu = readTable(`${directory}/cpu.stat`);
  const peak = readValue(`${directory}/memory.peak`);
  const pidsLimit = readNumber(`${directory}/pids.max`);
  const io = readValue(`${directory}/io.stat`) ?? '';
  return {
    cpu: {
      total: (cpu.usage_usec ?? 0) * 1000,
      user: (cpu.user_usec ?? 0) * 1000,
      system: (cpu.system_usec ?? 0) * 1000,
      throttling: {
        periods: cpu.nr_periods ?? 0,
        throttledPeriods: cpu.nr_throttled ?? 0,
        throttledTime: (cpu.throttled_usec ?? 0) * 1000,
      },
      onlineCpus: onlineCpus(),
    },
    memory: {
      usage: readNumber(`${directory}/memory.current`),
      ...(peak === undefined ? {} : { maxUsage: Number(peak) }),
      limit: effectiveMemoryLimit(readNumber(`${directory}/memory.max`) || Number.POSITIVE_INFINITY),
      stats: readTable(`${directory}/memory.stat`),
    },
    pids: {
      current: readNumber(`${directory}/pids.current`),
      ...(Number.isFinite(pidsLimit) && pidsLimit > 0 ? { limit: pidsLimit } : {}),
    },
    pressure: readPressure(kind => `${directory}/${kind}.pressure`),
    blkio: {
      serviceBytes: decodeIoStat(io, { Read: 'rbytes', Write: 'wbytes' }),
      serviced: decodeIoStat(io, { Read: 'rios', Write: 'wios' }),
    },
  };
}

/**
 * Lines '254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0'; a device without I/O has only its number.
 */
export function decodeIoStat(file: string, keys: { Read: string; Write: string }): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of file.split('\n')) {
    const [device = '', ...fields] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (major === undefined || minor === undefined) continue;
    const values = Object.fromEntries(fields.map(field => field.split('=')));
    for (const op of ['Read', 'Write'] as const) {
      const value = values[keys[op]];
      if (value !== undefined) entries.push({ major, minor, op, value: Number(value) });
    }
  }
  return entries;
}
