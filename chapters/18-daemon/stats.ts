// What a box uses, from the files of its control group. cgroups(7), and the kernel's documentation of each controller
// The engine: mini-docker/runtime/cgroups/ and mini-docker/engine/reports/stats.ts
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Group } from '../07-cgroups/groups.ts';
import type { Box } from './boxes.ts';

/** The first of these files that exists; '' if none does. Version 1 has one directory for each controller. */
function read(group: Group, ...files: string[]): string {
  const paths = files.flatMap(file => group.map(directory => `${directory}/${file}`));
  const found = paths.find(path => existsSync(path));
  return found === undefined ? '' : readFileSync(found, 'utf8').trim();
}

/** Nanoseconds of processor time of the whole machine. proc_stat(5): hundredths of a second, of each kind */
function systemTime(): number {
  const [, ...kinds] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  return kinds.slice(0, 8).reduce((all, ticks) => all + Number(ticks) * 1e7, 0);
}

/** Version 2 counts microseconds. Version 1 has an own controller, cpuacct, in which our group may not be. */
function boxTime({ state }: Box): number {
  const group = state.held?.group ?? [];
  const [, microseconds] = /^usage_usec (\d+)/m.exec(read(group, 'cpu.stat')) ?? [];
  if (microseconds !== undefined) return Number(microseconds) * 1000;
  return Number(read(group, 'cpuacct.usage')) || processTime(group);
}

/** The time of all processes in it, and of their children that have ended. proc_pid_stat(5): utime to cstime */
function processTime(group: Group): number {
  const pids = read(group, 'cgroup.procs').split('\n').filter(Boolean);
  return pids.reduce((all, pid) => {
    if (!existsSync(`/proc/${pid}/stat`)) return all;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return all + fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 1e7, 0);
  }, 0);
}

/** As in Docker's documentation, as far as `docker stats` reads it. */
export type Stats = { cpu_stats: object } & Record<string, unknown>;

/** One answer of GET /containers/NAME/stats. @param before the answer before it: clients subtract */
export function statsOf(box: Box, before?: Stats): Stats {
  const group = box.state.held?.group ?? [];
  const limit = Number(read(group, 'memory.max', 'memory.limit_in_bytes'));
  return {
    id: box.wanted.id,
    name: `/${box.name}`,
    read: new Date().toISOString(),
    cpu_stats: {
      cpu_usage: { total_usage: boxTime(box) },
      system_cpu_usage: systemTime(),
      online_cpus: availableParallelism(),
    },
    precpu_stats: before?.cpu_stats ?? { cpu_usage: { total_usage: 0 }, system_cpu_usage: 0 },
    memory_stats: {
      usage: Number(read(group, 'memory.current', 'memory.usage_in_bytes')),
      // 'max', or a number that no machine has: then the machine is the limit.
      limit: Math.min(limit || Number.POSITIVE_INFINITY, totalmem()),
      stats: {},
    },
    pids_stats: { current: Number(read(group, 'pids.current')) },
    networks: {},
  };
}
