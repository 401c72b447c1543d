// Cpusets of version 1. The kernel compares a new one, and each change, with all others beside it (validate_change() in
// kernel/cgroup/cpuset.c), so that thousands would make each start slower. Containers that may use all processors therefore
// share one, below their parent group and apart from those that have their own.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { call } from '../../linux/call.ts';
import { LOCK, O } from '../../linux/constants.ts';
import { moveUp } from '../../linux/descriptor-room.ts';
import { mayFail } from '../../linux/step.ts';
import { flock } from '../../linux/syscalls.ts';
import { CgroupError } from './cgroup.ts';
import {
  childGroups,
  isGone,
  makeParents,
  makingFailed,
  processesBelow,
  readValue,
  removeEmpty,
  writeValue,
} from './files.ts';

/** No container has this name: an id has no '@'. */
const SHARED = '@shared';

/** The path of the shared cpuset beside the container's own group. */
export const besideOwn = (path: string): string => join(dirname(path), SHARED);

/** Makes a new cpuset ready for processes. */
export function prepareCpuset(directory: string, mountPoint: string): void {
  leaveBalanceToParent(directory);
  inheritCpuset(directory, mountPoint);
}

/**
 * Balancing a cpuset changes nothing where its parent is balanced (generate_sched_domains() in kernel/cgroup/cpuset.c). But when
 * a balanced one ends, the kernel plans the processors of the machine anew, goes several times through all cpusets, and keeps
 * all changes of control groups waiting. As long as the cpuset has no processors, this write makes it plan nothing either.
 */
function leaveBalanceToParent(directory: string): void {
  const name = 'cpuset.sched_load_balance';
  if (readValue(`${dirname(directory)}/${name}`) === '1') writeValue(`${directory}/${name}`, '0');
}

/**
 * A new cpuset has no cpus and no memory, and no process can join it: it copies its parent's. Empty parents are ours, too.
 */
function inheritCpuset(directory: string, mountPoint: string): void {
  if (readValue(`${directory}/cpuset.mems`) !== '' && readValue(`${directory}/cpuset.cpus`) !== '') return;
  const parent = dirname(directory);
  if (parent !== mountPoint && readValue(`${parent}/cpuset.mems`) === '') inheritCpuset(parent, mountPoint);
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeValue(`${directory}/${file}`, readValue(`${parent}/${file}`) ?? '');
  }
}

/** The shared cpusets that this process uses: the lock keeps other daemons from removing one before a process is in it. */
const held = new Map<string, { lock: number; users: number }>();

/**
 * Makes the shared cpuset where it is missing, and keeps it until leaveShared(), which is due even if this throws.
 * @returns the directories that were made, the topmost first
 */
export function useShared(directory: string, mountPoint: string): string[] {
  const known = held.get(directory);
  if (known !== undefined) {
    known.users++;
    return [];
  }
  const made: string[] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      makeParents(mountPoint, join(directory.slice(mountPoint.length), 'a process'), made);
    } catch (error) {
      // Another daemon has removed the empty parent meanwhile.
      if (isGone(error)) continue;
      throw makingFailed(directory, error);
    }
    const lock = lockOf(directory, LOCK.SH);
    if (lock === undefined) continue;
    held.set(directory, { lock: moveUp(lock), users: 1 });
    prepareCpuset(directory, mountPoint);
    return made;
  }
  throw new CgroupError(`cannot make the cgroup ${directory}: other daemons remove it at once; try again`);
}

/** The cpuset stays: removeShared() removes it. */
export function leaveShared(directory: string): void {
  const known = held.get(directory);
  if (known !== undefined) known.users--;
}

/** Removes the shared cpuset below this group, with what its last containers made in it, if no container is in it or about to be. */
export function removeShared(parent: string): void {
  const directory = `${parent}/${SHARED}`;
  const known = held.get(directory);
  if (known !== undefined) {
    if (known.users > 0) return;
    closeSync(known.lock);
    held.delete(directory);
  }
  const lock = lockOf(directory, LOCK.EX | LOCK.NB);
  if (lock === undefined) return;
  if (processesBelow(directory).length === 0) removeTree(directory);
  closeSync(lock);
}

/** A descriptor that holds the lock; undefined when another process has a lock that excludes it, or the directory is gone. */
function lockOf(directory: string, operation: number): number | undefined {
  let fd: number;
  try {
    fd = openSync(directory, O.RDONLY | O.DIRECTORY);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  const isHeld = call(mayFail(flock(fd, operation), 'EAGAIN', 'EINTR')) >= 0;
  // It may have been removed before, and made again.
  const now = statSync(directory, { throwIfNoEntry: false });
  if (isHeld && now?.ino === fstatSync(fd).ino) return fd;
  closeSync(fd);
  return undefined;
}

function removeTree(directory: string): void {
  for (const child of childGroups(directory)) removeTree(child);
  removeEmpty(directory);
}

/** Rounds in which all processes are moved. */
const PATIENCE = 100;

/**
 * Moves those of the container's processes that are in the shared cpuset to its own. A process that has not been moved yet
 * may fork, so this repeats until there is none.
 * @throws CgroupError when the kernel refuses
 */
export function moveFromShared(move: { shared: string; own: string; processes(): number[] }): void {
  const { shared, own, processes } = move;
  const moved = new Set<number>();
  for (let round = 0; round < PATIENCE; round++) {
    const inside = new Set((readValue(`${shared}/cgroup.procs`) ?? '').split('\n').map(Number));
    const left = processes().filter(pid => pid > 0 && inside.has(pid) && !moved.has(pid));
    if (left.length === 0) return;
    for (const pid of left) {
      moved.add(pid);
      try {
        writeValue(`${own}/cgroup.procs`, String(pid));
      } catch (error) {
        if (!isGone(error))
          throw new CgroupError(
            `cannot move process ${pid} to the cpuset ${own}: ${(error as Error).message}`,
            error,
          );
      }
    }
  }
  throw new CgroupError(
    `cannot move all processes to the cpuset ${own}: they fork too fast; pause the container and try again`,
  );
}
