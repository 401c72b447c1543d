// The control groups of a sandbox, below the course's own group in every hierarchy of the machine. They limit the
// sandbox, and programs of the chapters make their groups below them. cgroups(7)

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, flock, LOCK, O, readMountinfo } from '#linux';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { keepDevices, V1_DENIED } from './devices.ts';
import { disks } from './disks.ts';
import { endHierarchy, escapeHierarchies, mountHierarchy, mountTree } from './hierarchies.ts';
import { hasMaker } from './maker.ts';
import { keepSettings } from './settings.ts';

/** The parent group of all sandboxes, in each hierarchy. */
export const COURSE_GROUP = 'mini-docker-learn';

export interface Hierarchy {
  version: 1 | 2;
  /** Its mount point on this machine. */
  root: string;
  /** v1: its own, such as 'memory'; v2: all that are available. */
  controllers: string[];
  /** Its name, if no mount namespace has it and `root` leads to a descriptor. */
  detached?: string;
}

const GROUP_NAME = /^\d+-\d+-[0-9a-f]{8}$/;

export interface Limits {
  /** Memory limit in bytes. */
  memory: number;
  processes: number;
}

/**
 * Forbids sandboxes to read or write the machine's disks as devices, whichever file system shows them (devtmpfs, for
 * example), to write to the kernel's log, and to change settings of the kernel. The rules belong to the parent group,
 * which no sandbox sees. A rule of v1 cannot spare the disks that are made to be read (escapes.ts), so it is the choice
 * only where no v2 tree takes a program.
 */
export function withholdMachine(groups: readonly Hierarchy[] = allHierarchies()): { keepsSettings: boolean } {
  const courseOf = ({ root }: Hierarchy): string => join(root, COURSE_GROUP);
  const tree = groups.find(({ version }) => version === 2);
  // Two sandboxes that replace the programs at the same time would leave both, and the older forbids a new disk.
  using _ = tree === undefined ? undefined : locked(courseOf(tree));
  const keepsSettings = tree !== undefined && quietly(() => keepSettings(courseOf(tree))) === true;
  const keepsDevices = tree !== undefined && quietly(() => keepDevices(courseOf(tree), disks())) === true;
  const devices = groups.find(({ controllers, version }) => version === 1 && controllers.includes('devices'));
  if (!keepsDevices && devices !== undefined)
    for (const rule of V1_DENIED) quietly(() => writeFileSync(join(courseOf(devices), 'devices.deny'), rule));
  return { keepsSettings };
}

/** Waits until no other process has it locked. flock(2) */
function locked(directory: string): Disposable | undefined {
  const descriptor = quietly(() => openSync(directory, O.RDONLY | O.DIRECTORY));
  if (descriptor === undefined) return undefined;
  call(flock(descriptor, LOCK.EX));
  return { [Symbol.dispose]: () => closeSync(descriptor) };
}

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** The hierarchies that have controllers: in a v2 tree without any, beside v1, nothing can be limited. */
export function hierarchies(): Hierarchy[] {
  return allHierarchies().filter(({ controllers }) => controllers.length > 0);
}

/**
 * Also those without controllers. The programs of a v2 tree (settings.ts) are asked all the same: where none is mounted
 * for writing, root has one that no path on the machine leads to. And a sandbox that had no group in systemd's hierarchy
 * could mount its root, where release_agent names a program that runs on the machine.
 */
function allHierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  const seen = new Set<string>();
  for (const { mountPoint, type, options, superOptions, device } of readMountinfo() ?? []) {
    if (options.includes('ro') || seen.has(device)) continue;
    if (type.startsWith('cgroup')) seen.add(device);
    if (type === 'cgroup') {
      const controllers = superOptions.filter(option => V1_CONTROLLERS.includes(option));
      found.push({ version: 1, root: mountPoint, controllers });
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
  return { version: 2, root: `/proc/self/fd/${mountTree()}`, controllers: [] };
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

/**
 * Makes one group in each hierarchy.
 * @param open names of hierarchies of which the sandbox sees the root: the way out that it was made for
 * @throws Error if this user may not make groups; it leaves none behind
 */
export function makeGroups(name: string, limits: Limits, open: readonly string[] = []): Group[] {
  for (let tries = 1; ; tries++)
    try {
      return attemptGroups(name, limits, open);
    } catch (error) {
      // The last sandbox of another process has removed the course's group between two of our steps, or under an open file.
      const isGone = ['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isGone || tries === MOST_TRIES) throw error;
    }
}

const MOST_TRIES = 50;

function attemptGroups(name: string, limits: Limits, open: readonly string[]): Group[] {
  const made: Group[] = [];
  try {
    const closed = escapeHierarchies().filter(each => !open.includes(each));
    const all = [...allHierarchies(), ...closed.flatMap(attach)];
    for (const { root } of all) makeDirectories(join(root, COURSE_GROUP));
    const withheld = withholdMachine(all);
    for (const hierarchy of all) {
      const course = join(hierarchy.root, COURSE_GROUP);
      const directory = join(course, name);
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
    void letGo(made);
    throw error;
  }
  return made;
}

/** A hierarchy that no mount namespace has, under the path of a descriptor; nothing if it is just ending. */
function attach(name: string): Hierarchy[] {
  const mount = quietly(() => mountHierarchy(name));
  return mount === undefined
    ? []
    : [{ version: 1, root: `/proc/self/fd/${mount}`, controllers: [], detached: name }];
}

/** Lets go of the hierarchies whose groups have been removed: the last sandbox of several ends them. */
async function letGo(groups: readonly Group[]): Promise<void> {
  for (const { hierarchy } of groups) {
    if (hierarchy.detached === undefined) continue;
    closeSync(Number(basename(hierarchy.root)));
    await endHierarchy(hierarchy.detached);
  }
}

/** Removes all groups of a sandbox, whose processes must have ended or be ending. @returns what could not be removed */
export async function removeGroups(groups: readonly Group[]): Promise<string[]> {
  const left = [];
  for (const { directory } of groups) left.push(...(await removeGroup(directory)));
  removeCourseGroups();
  await letGo(groups);
  return left;
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
function abandonedGroups(): string[] {
  const courses = allHierarchies().map(({ root }) => join(root, COURSE_GROUP));
  return courses.flatMap(course =>
    (quietly(() => readdirSync(course)) ?? [])
      .filter(name => GROUP_NAME.test(name) && !hasMaker(name))
      .map(name => join(course, name)),
  );
}

/**
 * Ends what is left of sandboxes whose maker was killed, such as processes that a freezer keeps, and removes their
 * groups. Takes no time if there are none.
 * @returns for each group, the directories that could not be removed
 */
export async function removeAbandonedGroups(): Promise<{ group: string; left: string[] }[]> {
  const groups = abandonedGroups();
  for (const group of groups.flatMap(below)) endProcesses(group);
  const removed = await Promise.all(groups.map(async group => ({ group, left: await removeGroup(group) })));
  if (groups.length > 0) removeCourseGroups();
  return removed;
}

function endProcesses(group: string): void {
  const members = quietly(() => readFileSync(join(group, 'cgroup.procs'), 'utf8')) ?? '';
  // 0 stands for a process that this pid namespace does not have; kill(2) takes it for the caller's own group.
  for (const pid of members.split('\n').map(Number).filter(Boolean))
    quietly(() => process.kill(pid, 'SIGKILL'));
  thaw(group);
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
