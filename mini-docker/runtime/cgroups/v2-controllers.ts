// Makes controllers available in a cgroup v2 directory: its parents decide, since each delegates them in its
// cgroup.subtree_control.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CgroupError } from './cgroup.ts';
import { isGone, readValue, writeValue } from './files.ts';

const WANTED = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/**
 * Delegates the available ones of WANTED, from the root down to the parent of `path`. A controller that does
 * not exist is an error only when a limit needs it.
 * @throws CgroupError when a process is in one of the parents
 */
export function enableControllers(mountPoint: string, path: string): void {
  const above: string[] = [];
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent))
    above.unshift(mountPoint + parent);
  for (const directory of [mountPoint, ...above]) enableBelow(directory, mountPoint);
}

function enableBelow(directory: string, mountPoint: string): void {
  const enabled = words(`${directory}/cgroup.subtree_control`);
  const available = words(`${directory}/cgroup.controllers`);
  const missing = WANTED.filter(name => available.includes(name) && !enabled.includes(name));
  if (missing.length === 0) return;
  const enable = () =>
    writeValue(`${directory}/cgroup.subtree_control`, missing.map(name => `+${name}`).join(' '));
  try {
    enable();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw cannotEnable(directory, missing, error);
    if (directory !== mountPoint) throw processesInTheWay(directory, error);
    moveToLeaf(mountPoint);
    try {
      enable();
    } catch (again) {
      throw processesInTheWay(directory, again);
    }
  }
}

/**
 * A cgroup that delegates controllers may hold no processes itself, except for the machine's root. When the
 * visible root is not the machine's (a cgroup namespace: the daemon runs in a container), it holds the daemon
 * and the other processes of that container: all of them move one level down.
 */
function moveToLeaf(root: string): void {
  const leaf = `${root}/init`;
  if (!existsSync(leaf)) mkdirSync(leaf);
  for (let round = 0; round < 10; round++) {
    // 0 stands for a process outside our pid namespace.
    const pids = words(`${root}/cgroup.procs`).filter(pid => pid !== '0');
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        writeValue(`${leaf}/cgroup.procs`, pid);
      } catch (error) {
        if (!isGone(error)) throw cannotEnable(root, ['processes'], error);
      }
    }
  }
}

function processesInTheWay(directory: string, cause: unknown): CgroupError {
  const pids = words(`${directory}/cgroup.procs`).slice(0, 5).join(', ') || 'threads of a threaded group';
  return new CgroupError(
    `cannot make cgroups below ${directory}: processes sit in it (${pids}), and cgroup v2 allows them only in groups without children; move them to a group of their own below it, or choose another --cgroup-parent`,
    cause,
  );
}

function cannotEnable(directory: string, controllers: string[], cause: unknown): CgroupError {
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    code === 'EROFS'
      ? 'the cgroup file system is mounted read-only; remount it with mount -o remount,rw'
      : `${code ?? cause} from cgroup.subtree_control`;
  return new CgroupError(`cannot hand ${controllers.join(', ')} on below ${directory}: ${reason}`, cause);
}

function words(file: string): string[] {
  return (readValue(file) ?? '').split(/\s+/).filter(word => word !== '');
}
