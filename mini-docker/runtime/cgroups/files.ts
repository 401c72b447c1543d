// Files of a cgroup directory: a few bytes each, read and written at once. Synchronous calls, because the kernel
// answers from memory: a write takes 10 µs, and a promise's trip to libuv's pool and back takes more.
import {
  closeSync,
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
import { CgroupError } from './cgroup.ts';

/** Without the newline at its end; undefined when there is no such file, or the group is gone. */
export function readValue(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A file of one number; 0 when there is no such file, Infinity for 'max'. */
export function readNumber(file: string): number {
  const value = readValue(file);
  if (value === 'max') return Number.POSITIVE_INFINITY;
  return Number(value ?? 0);
}

/** A file of lines 'name number'. */
export function readTable(file: string): Record<string, number> {
  const table: Record<string, number> = {};
  for (const line of (readValue(file) ?? '').split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0) table[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return table;
}

/** The kernel takes a value in one write(2) and answers with its opinion of it. */
export function writeValue(file: string, value: string): void {
  writeFileSync(file, value, { flag: 'r+' });
}

/** Several values for a file that adds each to what it has. */
export function writeValues(file: string, values: readonly string[]): void {
  const fd = openSync(file, 'r+');
  try {
    for (const value of values) writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** Pids in the group and in those below it. */
export function processesBelow(directory: string): number[] {
  const pids = (readValue(`${directory}/cgroup.procs`) ?? '').split('\n').filter(line => line !== '');
  return [...pids.map(Number), ...childGroups(directory).flatMap(processesBelow)];
}

/** Directories of the groups directly below. */
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
 * Makes a group of our own, with the groups above it that are missing.
 * @returns the directories that were made, the uppermost first
 * @throws CgroupError when there is one with processes in it
 */
export function makeGroup(mountPoint: string, path: string): string[] {
  const directory = mountPoint + path;
  for (let attempt = 0; ; attempt++) {
    const made: string[] = [];
    try {
      makeParents(mountPoint, path, made);
      mkdirSync(directory);
      return [...made, directory];
    } catch (error) {
      for (const parent of made.reverse()) removeEmpty(parent);
      const { code } = error as NodeJS.ErrnoException;
      // Another daemon may remove the empty parent between our two calls, and an earlier one may have left the group.
      if (attempt < 20 && code === 'ENOENT') continue;
      if (attempt < 20 && code === 'EEXIST' && removeEmpty(directory)) continue;
      throw makingFailed(directory, error);
    }
  }
}

/** Looks before it leaps: an exception costs more than the system call (0.05 ms, in each hierarchy). */
function makeParents(mountPoint: string, path: string, made: string[]): void {
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

function makingFailed(directory: string, error: unknown): CgroupError {
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

/** Removes a group that has neither processes nor groups below it. @returns whether it is gone */
export function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return isGone(error);
  }
}

/**
 * Removes the group and those below it. A process that was killed is still in its group until the kernel has taken
 * it apart, and rmdir(2) says EBUSY until then.
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

/** The group, or the process, was there and is no more: ENODEV is what an open file of a removed group answers. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ESRCH';
}
