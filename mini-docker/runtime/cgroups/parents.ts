import { dirname } from 'node:path';
import { removeEmpty } from './files.ts';
import { readHierarchies } from './hierarchies.ts';
import { removeShared } from './v1-cpuset.ts';

let keepers = 0;
const kept = new Set<string>();
/** Directories that this process made on the way to a container's cgroup: --cgroup-parent may name any. */
const made = new Set<string>();

/** @param directories from the top down; the last one is the container's own */
export function noteParents(directories: readonly string[]): void {
  for (const directory of directories.slice(0, -1)) made.add(directory);
}

/**
 * Until it is disposed of, parent cgroups of containers are kept when the last container goes: making them
 * costs 0.4 ms with version 1, and with version 2, where each delegates its controllers, 15 ms of waiting for
 * all CPUs.
 */
export function keepParents(): Disposable {
  keepers++;
  return {
    [Symbol.dispose]() {
      if (--keepers > 0) return;
      // A daemon that was killed has left it, and this one may have had no container.
      for (const root of roots()) kept.add(`${root}/mini-docker`);
      // Longer paths first, since children must be removed before their parents.
      for (const directory of [...kept].sort((a, b) => b.length - a.length)) removeParent(directory);
      kept.clear();
    },
  };
}

/** Whether the parent of this cgroup outlives the last container below it: the usual parent does, which no user makes or removes. */
export const keepsParentOf = (path: string): boolean => keepers > 0 && dirname(path) === '/mini-docker';

const isNamedByUs = (parent: string): boolean => parent.startsWith('/mini-docker');

/**
 * Removes the empty parents that mini-docker made: their names show it, or this process remembers. rmdir(2)
 * refuses any that has a process or a child, so it is safe to try at any time.
 */
export function removeOurParents(mountPoint: string, path: string): void {
  const isOurs = (parent: string): boolean => isNamedByUs(parent) || made.has(mountPoint + parent);
  for (let parent = dirname(path); isOurs(parent); parent = dirname(parent)) {
    if (keepers > 0 && isNamedByUs(parent)) kept.add(mountPoint + parent);
    else if (removeParent(mountPoint + parent)) made.delete(mountPoint + parent);
    else return;
  }
}

/** @returns whether it is gone, with the cpuset that its last containers shared */
function removeParent(directory: string): boolean {
  removeShared(directory);
  return removeEmpty(directory);
}

function roots(): string[] {
  const found = readHierarchies();
  if (found.version === 'none') return [];
  return found.version === 1 ? found.hierarchies.map(({ mountPoint }) => mountPoint) : [found.mountPoint];
}
