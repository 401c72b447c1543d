// The control groups of a sandbox, below a group of the course's own in every hierarchy of the machine: they limit it,
// and they are where chapters make groups of theirs. cgroups(7)

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo, readStat } from '#linux';
import { setDeviceFilter } from '../../mini-docker/runtime/cgroups/device-filter.ts';
import { deviceProgram } from '../../mini-docker/runtime/cgroups/device-program.ts';
import type { DevicePolicy } from '../../mini-docker/runtime/cgroups/device-rules.ts';

/** The group that all sandboxes have in common, in each hierarchy. */
export const COURSE_GROUP = 'mini-docker-learn';

export interface Hierarchy {
  version: 1 | 2;
  /** Where it is mounted on this machine. */
  root: string;
  /** v1: 'memory'; v2: all that it has. */
  controllers: string[];
}

/** Tells its maker, by pid and time of start. */
export function freshGroupName(): string {
  return `${process.pid}-${readStat()?.startTime}-${randomBytes(4).toString('hex')}`;
}

/** Whether that one is still there to take it away. */
export function hasMaker(name: string): boolean {
  const [pid, startTime] = name.split('-').map(Number);
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === startTime;
}

export interface Limits {
  /** Bytes. */
  memory: number;
  processes: number;
}

/**
 * Nothing in a sandbox may read or write the machine's disks as devices: whatever file system shows them, devtmpfs for
 * one. Said in the group above those of the sandboxes, which none of them sees.
 */
function withholdDisks(course: string, { version, controllers }: Hierarchy): void {
  if (version === 2) {
    const policy: DevicePolicy = { default: 'allow', exceptions: [{ type: 'b', access: 'rw' }] };
    quietly(() => setDeviceFilter(course, deviceProgram(policy)));
  } else if (controllers.includes('devices'))
    quietly(() => writeFileSync(join(course, 'devices.deny'), 'b *:* rw'));
}

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** Those with controllers: a v2 tree without any, beside v1, is of no use. */
export function hierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const { mountPoint, type, superOptions } of readMountinfo() ?? []) {
    if (type === 'cgroup') {
      const controllers = superOptions.filter(option => V1_CONTROLLERS.includes(option));
      if (controllers.length > 0) found.push({ version: 1, root: mountPoint, controllers });
    } else if (type === 'cgroup2') {
      const controllers = readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').trim();
      if (controllers !== '')
        found.push({ version: 2, root: mountPoint, controllers: controllers.split(' ') });
    }
  }
  return found;
}

export interface Group {
  hierarchy: Hierarchy;
  /** The sandbox's own, on this machine. */
  directory: string;
  /** Where its processes are: v2 wants them in a leaf (cgroups(7), "no internal processes"), v1 does not mind. */
  home: string;
}

/** @returns one for each hierarchy. @throws Error when this user may not make any; none is left then */
export function makeGroups(name: string, limits: Limits): Group[] {
  const made: Group[] = [];
  try {
    for (const hierarchy of hierarchies()) {
      const course = join(hierarchy.root, COURSE_GROUP);
      const directory = join(course, name);
      mkdirSync(course, { recursive: true });
      withholdDisks(course, hierarchy);
      if (hierarchy.version === 2) {
        pass(hierarchy.root, hierarchy.controllers);
        pass(course, hierarchy.controllers);
      } else inheritCpuset(course);
      mkdirSync(directory);
      const home = hierarchy.version === 2 ? join(directory, 'sandbox') : directory;
      made.push({ hierarchy, directory, home });
      if (hierarchy.version === 1) inheritCpuset(directory);
      else mkdirSync(home);
      limit(directory, limits);
    }
  } catch (error) {
    for (const { directory } of made) for (const group of below(directory)) quietly(() => rmdirSync(group));
    throw error;
  }
  return made;
}

/** Once its processes are at home: what the sandbox has, groups in it can have as well. */
export function passOn({ hierarchy, directory }: Group): void {
  if (hierarchy.version === 2) pass(directory, hierarchy.controllers);
}

/** v2: what children are to have must be passed on. What cannot be (a host without delegation) is then missing below. */
function pass(directory: string, controllers: readonly string[]): void {
  const file = join(directory, 'cgroup.subtree_control');
  const now = readFileSync(file, 'utf8').trim().split(' ');
  for (const controller of controllers) {
    if (!now.includes(controller)) quietly(() => writeFileSync(file, `+${controller}`));
  }
}

/** v1: a new cpuset group has no processors, and nobody can join it. */
function inheritCpuset(directory: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const file = join(directory, name);
    if (!existsSync(file) || readFileSync(file, 'utf8').trim() !== '') continue;
    writeFileSync(file, readFileSync(join(directory, '..', name), 'utf8'));
  }
}

function limit(directory: string, { memory, processes }: Limits): void {
  const settings: [string, string][] = [
    ['memory.limit_in_bytes', String(memory)],
    ['memory.memsw.limit_in_bytes', String(memory)],
    ['memory.max', String(memory)],
    ['memory.swap.max', '0'],
    ['pids.max', String(processes)],
  ];
  for (const [name, value] of settings) {
    const file = join(directory, name);
    if (existsSync(file)) quietly(() => writeFileSync(file, value));
  }
}

/**
 * Removes a group and all below it, whose processes have ended or are just ending.
 * @returns the directories that are still there after two seconds
 */
export async function removeGroup(directory: string): Promise<string[]> {
  const deadline = Date.now() + 2000;
  for (;;) {
    const groups = below(directory);
    for (const group of groups) {
      thaw(group);
      quietly(() => rmdirSync(group));
    }
    const left = groups.filter(group => existsSync(group));
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(10);
  }
}

/** The last sandbox takes the course's group along. */
export function removeCourseGroups(): void {
  for (const { root } of hierarchies()) quietly(() => rmdirSync(join(root, COURSE_GROUP)));
}

/** Groups whose maker has ended without taking them away: it was killed. */
export function abandonedGroups(): string[] {
  const courses = hierarchies().map(({ root }) => join(root, COURSE_GROUP));
  return courses.flatMap(course =>
    (quietly(() => readdirSync(course)) ?? [])
      .filter(name => /^\d+-\d+-[0-9a-f]{8}$/.test(name) && !hasMaker(name))
      .map(name => join(course, name)),
  );
}

/** Those in which no process is left. Takes no time where there are none. */
export function removeEmptyGroups(): void {
  const groups = abandonedGroups();
  for (const group of groups.flatMap(below)) quietly(() => rmdirSync(group));
  if (groups.length > 0) removeCourseGroups();
}

/** Deepest first. */
export function below(directory: string): string[] {
  const names = quietly(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  const children = names
    .filter(entry => entry.isDirectory())
    .flatMap(entry => below(join(directory, entry.name)));
  return existsSync(directory) ? [...children, directory] : children;
}

/** In v1 a frozen process does not even die. */
export function thawAll(directory: string): void {
  for (const group of below(directory)) thaw(group);
}

function thaw(directory: string): void {
  const v1 = join(directory, 'freezer.state');
  if (existsSync(v1)) quietly(() => writeFileSync(v1, 'THAWED'));
  const v2 = join(directory, 'cgroup.freeze');
  if (existsSync(v2)) quietly(() => writeFileSync(v2, '0'));
}

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
