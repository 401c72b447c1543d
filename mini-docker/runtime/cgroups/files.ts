// Reads and writes files of a cgroup directory, which hold a few bytes each. The calls are synchronous,
// because the kernel answers from memory: a write takes 10 µs, and a promise's way through libuv's pool takes
// longer.
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getSystemErrorMessage } from 'node:util';
import { Descriptor } from '../../linux/descriptor.ts';
import { CgroupError } from './cgroup.ts';

/** The value without its newline; undefined when the file or the cgroup does not exist. */
export function readValue(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The value of a file with one number; 0 when it does not exist, Infinity for 'max'. */
export function readNumber(file: string): number {
  const value = readValue(file);
  if (value === 'max') return Number.POSITIVE_INFINITY;
  return Number(value ?? 0);
}

/** The values of a file with lines 'name number'. */
export function readTable(file: string): Record<string, number> {
  const table: Record<string, number> = {};
  for (const line of (readValue(file) ?? '').split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0) table[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return table;
}

/** Writes a value in one write(2), to which the kernel replies with its verdict. */
export function writeValue(file: string, value: string): void {
  writeFileSync(file, value, { flag: 'r+' });
}

/** Writes several values to a file that adds each to its content. */
export function writeValues(file: string, values: readonly string[]): void {
  using opened = new Descriptor(openSync(file, 'r+'));
  for (const value of values) writeSync(opened.number, value);
}

/** All pids in the cgroup and below it. */
export function processesBelow(directory: string): number[] {
  const pids = (readValue(`${directory}/cgroup.procs`) ?? '').split('\n').filter(line => line !== '');
  return [...pids.map(Number), ...childGroups(directory).flatMap(processesBelow)];
}

/** The directories of its direct children. */
export function childGroups(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter(entry => entry.isDirectory()).map(entry => `${directory}/${entry.name}`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/**
 * Makes one of our cgroups and its missing parents.
 * @returns the directories that were made, the topmost first
 * @throws CgroupError when the cgroup exists and has processes in it
 */
export function makeGroup(mountPoint: string, path: string): string[] {
  const directory = mountPoint + path;
  for (let attempt = 0; ; attempt++) {
    const made: string[] = [];
    try {
      // Only the first container finds no parents.
      if (attempt > 0) makeParents(mountPoint, path, made);
      mkdirSync(directory);
      return [...made, directory];
    } catch (error) {
      for (const parent of made.reverse()) removeEmpty(parent);
      const { code } = error as NodeJS.ErrnoException;
      // Another daemon may remove the empty parent between the two calls, and an earlier one may have left
      // the cgroup.
      if (attempt < 20 && code === 'ENOENT') continue;
      if (attempt < 20 && code === 'EEXIST' && removeEmpty(directory)) continue;
      throw makingFailed(directory, error);
    }
  }
}

/**
 * Makes the missing directories above a path. Checks before it makes one, since an exception costs more than the system call
 * (0.05 ms per hierarchy).
 * @param made receives those that were made, the topmost first
 */
export function makeParents(mountPoint: string, path: string, made: string[]): void {
  const parent = dirname(path);
  if (parent === '/' || existsSync(mountPoint + parent)) return;
  makeParents(mountPoint, parent, made);
  try {
    mkdirSync(mountPoint + parent);
    made.push(mountPoint + parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The error for a directory that could not be made. */
export function makingFailed(directory: string, error: unknown): CgroupError {
  const { code, errno = 0 } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EEXIST: 'it exists and has processes in it: end them, or choose another name',
    EACCES: 'permission denied: mini-docker needs root',
    EPERM: 'permission denied: mini-docker needs root',
    EROFS: 'the cgroup file system is mounted read-only: remount it with mount -o remount,rw',
    EAGAIN: 'a limit on the number of cgroups is reached (cgroup.max.descendants of a group above it)',
    ENOSPC: 'the machine has no room for another cgroup',
  };
  const reason = reasons[code ?? ''] ?? getSystemErrorMessage(errno);
  return new CgroupError(`cannot make the cgroup ${directory}: ${reason}`, error);
}

/** Removes a cgroup without processes and children. @returns whether it is gone */
export function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return isGone(error);
  }
}

/**
 * Removes the cgroup and those below it. A killed process stays in its cgroup until the kernel has taken it
 * apart; until then rmdir(2) fails with EBUSY.
 */
export async function removeGroup(directory: string, patience = 10_000): Promise<void> {
  const end = Date.now() + patience;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    if (removeEmpty(directory)) return;
    for (const child of childGroups(directory)) await removeGroup(child, end - Date.now());
    if (removeEmpty(directory)) return;
    if (Date.now() > end) throw removingFailed(directory);
    await sleep(pause);
  }
}

function removingFailed(directory: string): CgroupError {
  const pids = processesBelow(directory);
  const reason = pids.length > 0 ? `processes are still in it: ${pids.slice(0, 5).join(', ')}` : 'it is busy';
  return new CgroupError(`cannot remove the cgroup ${directory}: ${reason}`);
}

/** Whether the cgroup or process no longer exists: ENODEV comes from an open file of a removed cgroup. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ESRCH';
}
