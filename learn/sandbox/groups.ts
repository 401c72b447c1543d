// The control groups of a sandbox, below the course's own group in every hierarchy of the machine. They limit the
// sandbox, and programs of the chapters make their groups below them. cgroups(7)

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  call,
  close,
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  fsconfig,
  fsmount,
  fsopen,
  readMountinfo,
  readStat,
} from '#linux';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { setDeviceFilter } from '../../mini-docker/runtime/cgroups/device-filter.ts';
import { deviceProgram } from '../../mini-docker/runtime/cgroups/device-program.ts';
import type { DevicePolicy } from '../../mini-docker/runtime/cgroups/device-rules.ts';
import { keepSettings } from './settings.ts';

/** The parent group of all sandboxes, in each hierarchy. */
export const COURSE_GROUP = 'mini-docker-learn';

export interface Hierarchy {
  version: 1 | 2;
  /** Its mount point on this machine. */
  root: string;
  /** v1: its own, such as 'memory'; v2: all that are available. */
  controllers: string[];
}

/** The name of a group, which identifies its maker by pid and start time. */
export function freshGroupName(): string {
  return `${process.pid}-${readStat()?.startTime}-${randomBytes(4).toString('hex')}`;
}

/** Whether the maker of a group still exists and will remove it. */
export function hasMaker(name: string): boolean {
  const [pid, startTime] = name.split('-').map(Number);
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === startTime;
}

export interface Limits {
  /** Memory limit in bytes. */
  memory: number;
  processes: number;
}

/**
 * Forbids sandboxes to read or write the machine's disks as devices, whichever file system shows them (devtmpfs, for
 * example), to write to the kernel's log, and to change settings of the kernel. The rules belong to the parent group,
 * which no sandbox sees.
 */
function withholdMachine(course: string, { version, controllers }: Hierarchy): { keepsSettings: boolean } {
  if (version === 2) {
    const policy: DevicePolicy = {
      default: 'allow',
      exceptions: [
        { type: 'b', access: 'rw' },
        { type: 'c', major: 1, minor: 11, access: 'rw' },
      ],
    };
    quietly(() => setDeviceFilter(course, deviceProgram(policy)));
    return { keepsSettings: quietly(() => keepSettings(course)) === true };
  }
  if (controllers.includes('devices')) {
    quietly(() => writeFileSync(join(course, 'devices.deny'), 'b *:* rw'));
    quietly(() => writeFileSync(join(course, 'devices.deny'), 'c 1:11 rw'));
  }
  return { keepsSettings: false };
}

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** The hierarchies that have controllers: in a v2 tree without any, beside v1, nothing can be limited. */
export function hierarchies(): Hierarchy[] {
  return allHierarchies().filter(({ controllers }) => controllers.length > 0);
}

/**
 * Also a v2 tree without controllers: its programs (settings.ts) are asked all the same. Where none is mounted for
 * writing, root has one that no path on the machine leads to.
 */
function allHierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const { mountPoint, type, options, superOptions } of readMountinfo() ?? []) {
    if (options.includes('ro')) continue;
    if (type === 'cgroup') {
      const controllers = superOptions.filter(option => V1_CONTROLLERS.includes(option));
      if (controllers.length > 0) found.push({ version: 1, root: mountPoint, controllers });
    } else if (type === 'cgroup2') {
      const controllers = readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').trim();
      found.push({ version: 2, root: mountPoint, controllers: controllers.split(' ').filter(Boolean) });
    }
  }
  if (process.geteuid?.() === 0 && !found.some(({ version }) => version === 2)) {
    unmountedTree ??= quietly(detachedTree);
    if (unmountedTree !== undefined) found.push(unmountedTree);
  }
  return found;
}

let unmountedTree: Hierarchy | undefined;

/** A mount of the v2 tree that is attached nowhere, and ends with this process. */
function detachedTree(): Hierarchy {
  const context = call(fsopen('cgroup2', FSOPEN.CLOEXEC));
  try {
    call(fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0));
    const tree = call(fsmount(context, FSMOUNT.CLOEXEC, 0));
    return { version: 2, root: `/proc/self/fd/${tree}`, controllers: [] };
  } finally {
    call(close(context));
  }
}

export interface Group {
  hierarchy: Hierarchy;
  /** Whether no process of it can change the kernel's settings. */
  keepsSettings: boolean;
  /** Path of the sandbox's group on this machine. */
  directory: string;
  /** Path of the group of its processes: v2 wants a leaf (cgroups(7), "no internal processes"), v1 does not care. */
  home: string;
}

/** Makes one group in each hierarchy. @throws Error if this user may not make groups; it leaves none behind */
export function makeGroups(name: string, limits: Limits): Group[] {
  const made: Group[] = [];
  try {
    for (const hierarchy of allHierarchies()) {
      const course = join(hierarchy.root, COURSE_GROUP);
      const directory = join(course, name);
      makeDirectories(course);
      const withheld = withholdMachine(course, hierarchy);
      if (hierarchy.version === 2) {
        pass(hierarchy.root, hierarchy.controllers);
        pass(course, hierarchy.controllers);
      } else inheritCpuset(course);
      mkdirSync(directory);
      const home = hierarchy.version === 2 ? join(directory, 'sandbox') : directory;
      made.push({ hierarchy, ...withheld, directory, home });
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

/** Passes all controllers on to groups inside the sandbox, once its processes are in their leaf. */
export function passOn({ hierarchy, directory }: Group): void {
  if (hierarchy.version === 2) pass(directory, hierarchy.controllers);
}

/** v2: enables controllers for child groups. On a host without delegation, some cannot be enabled and are missing there. */
function pass(directory: string, controllers: readonly string[]): void {
  const file = join(directory, 'cgroup.subtree_control');
  const now = readFileSync(file, 'utf8').trim().split(' ');
  for (const controller of controllers) {
    if (!now.includes(controller)) quietly(() => writeFileSync(file, `+${controller}`));
  }
}

/** v1: a new cpuset group has no processors, and no process can join it until it gets some. */
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
 * Removes a group and all groups below it, whose processes must have ended or be ending.
 * @returns the directories that still exist after two seconds
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

/** Removes the course's group if it is empty: the last sandbox does this. */
export function removeCourseGroups(): void {
  for (const { root } of allHierarchies()) quietly(() => rmdirSync(join(root, COURSE_GROUP)));
}

/** Groups whose maker was killed before it could remove them. */
export function abandonedGroups(): string[] {
  const courses = allHierarchies().map(({ root }) => join(root, COURSE_GROUP));
  return courses.flatMap(course =>
    (quietly(() => readdirSync(course)) ?? [])
      .filter(name => /^\d+-\d+-[0-9a-f]{8}$/.test(name) && !hasMaker(name))
      .map(name => join(course, name)),
  );
}

/** Removes abandoned groups that contain no process. Takes no time if there are none. */
export function removeEmptyGroups(): void {
  const groups = abandonedGroups();
  for (const group of groups.flatMap(below)) quietly(() => rmdirSync(group));
  if (groups.length > 0) removeCourseGroups();
}

/** A directory and its subdirectories, deepest first. */
export function below(directory: string): string[] {
  const names = quietly(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  const children = names
    .filter(entry => entry.isDirectory())
    .flatMap(entry => below(join(directory, entry.name)));
  return existsSync(directory) ? [...children, directory] : children;
}

/** Thaws a group: in v1, a frozen process does not even die of SIGKILL. */
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
