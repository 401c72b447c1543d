// The control groups that a box's processes are in: limits, and what is used. cgroups(7)
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { GroupView, Usage } from '../formats/view.ts';
import { decodeCgroup } from '../linux/proc/cgroup.ts';
import { readProcFile } from '../linux/proc/file.ts';
import { readNumber, readTable, readValue } from '../runtime/cgroups/files.ts';
import { decodeHierarchies } from '../runtime/cgroups/hierarchies.ts';
import { decodeBlkioV1, readPressure } from '../runtime/cgroups/stats.ts';

/** Where a group's files are, by controller; with version 2 they are all in one directory. */
interface Place {
  version: 1 | 2;
  path: string;
  /** Mount point and directory of a controller's group. */
  of(controller: string): { top: string; directory: string };
}

/** One entry for each group that the processes are in, process 1's first. */
export function readGroups(pids: readonly number[]): GroupView[] {
  const members = new Map<string, number[]>();
  for (const pid of pids) {
    const text = readProcFile(pid, 'cgroup');
    if (text === undefined) continue;
    const found = members.get(text);
    if (found === undefined) members.set(text, [pid]);
    else found.push(pid);
  }
  return [...members].flatMap(([text, inIt]) => {
    const place = placeOf(text);
    return place === undefined ? [] : [groupAt(place, inIt)];
  });
}

/** What the group of a process uses; undefined when it has ended. */
export function readUsage(pid: number): Usage | undefined {
  const text = readProcFile(pid, 'cgroup');
  const place = text === undefined ? undefined : placeOf(text);
  return place && { at: Date.now(), cpu: cpuUsed(place), memory: memoryUsed(place), tasks: tasksUsed(place) };
}

let mounted: ReturnType<typeof decodeHierarchies> | undefined;

function placeOf(cgroup: string): Place | undefined {
  mounted ??= decodeHierarchies({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    ownCgroups: readFileSync('/proc/self/cgroup', 'utf8'),
  });
  const memberships = decodeCgroup(cgroup);
  if (mounted.version === 2) {
    const path = memberships.find(({ hierarchy }) => hierarchy === 0)?.path;
    if (path === undefined) return undefined;
    const { mountPoint: top } = mounted;
    return { version: 2, path, of: () => ({ top, directory: top + path }) };
  }
  if (mounted.version !== 1) return undefined;
  const { hierarchies } = mounted;
  const pathOf = (controller: string) =>
    memberships.find(({ controllers }) => controllers.includes(controller))?.path ?? '/';
  return {
    version: 1,
    path: pathOf('memory'),
    of(controller) {
      const top = hierarchies.find(({ controllers }) => controllers.includes(controller))?.mountPoint ?? '';
      return { top, directory: top + pathOf(controller) };
    },
  };
}

function groupAt(place: Place, pids: number[]): GroupView {
  const { version, path } = place;
  const limits = {
    cpu: leastUpwards(place, 'cpu', version === 2 ? quotaV2 : quotaV1),
    memory: leastUpwards(place, 'memory', directory =>
      readNumber(`${directory}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`),
    ),
    tasks: leastUpwards(place, 'pids', directory => readNumber(`${directory}/pids.max`)),
  };
  const limited = (limit: number, most: number) => (limit > 0 && limit < most ? { limit } : {});
  const pressure = version === 2 ? readPressure(file => `${place.of('').directory}/${file}.pressure`) : {};
  return {
    path,
    version,
    pids,
    cpu: {
      used: cpuUsed(place),
      ...limited(limits.cpu, availableParallelism()),
      throttled: throttled(place),
    },
    memory: { used: memoryUsed(place), ...limited(limits.memory, totalmem()) },
    tasks: { used: tasksUsed(place), ...limited(limits.tasks, Number.POSITIVE_INFINITY) },
    io: io(place),
    ...(Object.keys(pressure).length === 0 ? {} : { pressure }),
  };
}

/** A group is held to the limits of the groups above it, too. 0 and Infinity are no limit. */
function leastUpwards(place: Place, controller: string, limitIn: (directory: string) => number): number {
  const { top, directory } = place.of(controller);
  let least = Number.POSITIVE_INFINITY;
  for (let at = directory; at.length > top.length; at = at.slice(0, at.lastIndexOf('/'))) {
    const limit = limitIn(at);
    if (limit > 0) least = Math.min(least, limit);
  }
  return least;
}

function quotaV1(directory: string): number {
  return readNumber(`${directory}/cpu.cfs_quota_us`) / (readNumber(`${directory}/cpu.cfs_period_us`) || 1);
}

function quotaV2(directory: string): number {
  const [quota, period] = (readValue(`${directory}/cpu.max`) ?? 'max').split(' ');
  return quota === 'max' ? 0 : Number(quota) / Number(period);
}

function cpuUsed(place: Place): number {
  const { directory } = place.of('cpuacct');
  if (place.version === 1) return readNumber(`${directory}/cpuacct.usage`);
  return (readTable(`${directory}/cpu.stat`).usage_usec ?? 0) * 1000;
}

function throttled(place: Place): number {
  const table = readTable(`${place.of('cpu').directory}/cpu.stat`);
  return table.throttled_time ?? (table.throttled_usec ?? 0) * 1000;
}

/** Without the part of the page cache that the kernel would reclaim first, as `docker stats` shows it. */
function memoryUsed(place: Place): number {
  const { directory } = place.of('memory');
  const used = readNumber(`${directory}/${place.version === 2 ? 'memory.current' : 'memory.usage_in_bytes'}`);
  // Of 40 lines one is wanted. Version 1 also has a line for the group without those below it.
  const line = place.version === 2 ? /^inactive_file (\d+)/m : /^total_inactive_file (\d+)/m;
  const idle = Number(line.exec(readValue(`${directory}/memory.stat`) ?? '')?.[1] ?? 0);
  return idle < used ? used - idle : used;
}

function tasksUsed(place: Place): number {
  return readNumber(`${place.of('pids').directory}/pids.current`);
}

function io(place: Place): GroupView['io'] {
  const { directory } = place.of('blkio');
  if (place.version === 1) {
    const entries = decodeBlkioV1(readValue(`${directory}/blkio.throttle.io_service_bytes_recursive`) ?? '');
    const sum = (op: string) =>
      entries.filter(each => each.op === op).reduce((all, { value }) => all + value, 0);
    return { read: sum('Read'), written: sum('Write') };
  }
  const text = readValue(`${directory}/io.stat`) ?? '';
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, 'g'))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    );
  return { read: sum('rbytes'), written: sum('wbytes') };
}
