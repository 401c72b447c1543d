// Control groups: one tree for each controller in version 1, one tree for all in version 2. cgroups(7)
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import {
  AT,
  because,
  cgroupPath,
  close,
  type Item,
  O,
  openat,
  readCgroup,
  readMountinfo,
  resultOf,
  writeText,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';

export interface Limits {
  /** Bytes. */
  memory?: number;
  /** Processors: 0.5 is half the time of one. */
  cpus?: number;
  /** Processes. */
  pids?: number;
}

/** Microseconds after which each group gets its processor time anew. */
const PERIOD = 100_000;
const FILES = {
  1: ({ memory, cpus, pids }: Limits): Record<string, string | undefined> => ({
    'memory.limit_in_bytes': memory?.toString(),
    // Memory and swap together: without it, the kernel swaps out whatever exceeds the limit.
    'memory.memsw.limit_in_bytes': memory?.toString(),
    'cpu.cfs_quota_us': cpus === undefined ? undefined : `${Math.round(cpus * PERIOD)}`,
    'pids.max': pids?.toString(),
  }),
  2: ({ memory, cpus, pids }: Limits): Record<string, string | undefined> => ({
    'memory.max': memory?.toString(),
    'memory.swap.max': memory === undefined ? undefined : '0',
    'cpu.max': cpus === undefined ? undefined : `${Math.round(cpus * PERIOD)} ${PERIOD}`,
    'pids.max': pids?.toString(),
  }),
};
const CONTROLLERS = ['memory', 'cpu', 'pids', 'freezer', 'devices'];

interface Tree {
  version: 1 | 2;
  root: string;
  /** Version 1: the tree's controller. */
  controller?: string;
}

/** The machine's trees. In version 1, only those with a controller that we use. */
function trees(): Tree[] {
  const found = (readMountinfo() ?? []).flatMap(({ type, mountPoint, superOptions }): Tree[] => {
    if (type === 'cgroup2') return [{ version: 2, root: mountPoint }];
    const controller = CONTROLLERS.find(each => superOptions.includes(each));
    return type === 'cgroup' && controller !== undefined
      ? [{ version: 1, root: mountPoint, controller }]
      : [];
  });
  // Next to version 1 there may be a tree of version 2, which then has no controllers.
  return found.some(({ version }) => version === 1) ? found.filter(({ version }) => version === 1) : found;
}

/** A group: its directory in each tree. */
export type Group = string[];

/**
 * Creates box/NAME and sets its limits. @throws the error of writeFileSync if the kernel refuses a value
 * @param below the group that it is made in, if not box
 */
export function makeGroup(name: string, limits: Limits, below = 'box'): Group {
  for (const [limit, value] of Object.entries(limits))
    if (!(value > 0)) throw new Mistake(`--${limit} needs a number above 0`);
  const open = trees().filter(mayMakeGroups);
  // A box can run without a group, but a limit that was asked for must not be ignored.
  if (open.length === 0 && Object.keys(limits).length > 0)
    throw new Mistake('limits need a control group, and only root may create one here');
  return open.map(({ version, root }) => {
    const group = `${root}/${below}/${name}`;
    mkdirSync(`${root}/${below}`, { recursive: true });
    // Version 2: a group can limit only with the controllers that the group above passes on.
    if (version === 2) writeFileSync(`${root}/${below}/cgroup.subtree_control`, '+memory +cpu +pids');
    mkdirSync(group);
    for (const [file, value] of Object.entries(FILES[version](limits))) {
      if (value !== undefined && existsSync(`${group}/${file}`)) writeFileSync(`${group}/${file}`, value);
    }
    return group;
  });
}

/** An ordinary user may create no groups, unless root has delegated a part of a tree (chapter 15). */
function mayMakeGroups({ root }: Tree): boolean {
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The group of a process, in the trees that we may change. */
export function groupOf(pid: number): Group {
  const memberships = readCgroup(pid) ?? [];
  const open = trees().filter(mayMakeGroups);
  return open.map(({ root, controller }) => `${root}${cgroupPath(memberships, controller) ?? '/'}`);
}

/** Steps for the child, before execve: its children are then limited from the first moment. 0 is the writing process. */
export function joinGroup(group: Group): Item[] {
  return group.flatMap(directory => {
    const file = openat(AT.FDCWD, `${directory}/cgroup.procs`, O.WRONLY | O.CLOEXEC, 0);
    return [
      file,
      because('my children start in this group too', writeText(resultOf(file), '0')),
      close(resultOf(file)),
    ];
  });
}

/** Removes a group that has no processes left. */
export function removeGroup(group: Group): void {
  for (const directory of group) rmdirSync(directory);
}

/** '64m' → 67108864. k, m and g are powers of 1024, as in Docker. */
export function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d+)([kmg]?)$/.exec(text) ?? [];
  if (number === undefined)
    throw new Mistake(`a size is a number, optionally followed by k, m or g, not ${text}`);
  return Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit);
}
