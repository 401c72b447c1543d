// Selects the cgroup driver of this machine: version 1 if a controller is mounted in a v1 hierarchy, else
// version 2.
import { basename, posix } from 'node:path';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { cgroupPath, readCgroup } from '../../linux/proc/cgroup.ts';
import type { Step } from '../../linux/step.ts';
import type { CgroupView } from '../cgroup-mount.ts';
import type { Cgroup } from './cgroup.ts';
import { type HierarchyV2, readHierarchies } from './hierarchies.ts';
import { createNone, openNone } from './none.ts';
import { createV1, driverV1, openV1 } from './v1.ts';
import { createV2, driverV2, openV2 } from './v2.ts';

/**
 * The parent comes from a request (--cgroup-parent): '..' stops at the root of the tree and does not lead out
 * of it.
 */
function inTree(path: string): string {
  return posix.join('/', path);
}

/**
 * Makes an empty cgroup with its limits.
 * @param options.path such as '/mini-docker/ID', below the root of each hierarchy; missing parents are made
 * @throws CgroupError when a limit or controller is unavailable; nothing is left then
 */
export function createCgroup({ path, resources }: { path: string; resources: Resources }): Cgroup {
  const hierarchies = readHierarchies();
  const options = { path: inTree(path), resources };
  if (hierarchies.version === 'none') return createNone(hierarchies, options);
  return hierarchies.version === 1 ? createV1(hierarchies, options) : createV2(hierarchies, options);
}

/**
 * Opens the cgroup at this path; undefined when there is none.
 * @param member pid of a process in it
 */
export function openCgroup(path: string, member?: number): Cgroup | undefined {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') return openNone(hierarchies, path);
  if (hierarchies.version === 2 && hierarchies.root !== undefined && member !== undefined)
    return openV2(delegatedTo(member, inTree(path), hierarchies), inTree(path));
  return hierarchies.version === 1 ? openV1(hierarchies, inTree(path)) : openV2(hierarchies, inTree(path));
}

/** The group that was delegated to the daemon that started `member`: each session of a user may have its own. */
function delegatedTo(member: number, path: string, now: HierarchyV2): HierarchyV2 {
  const group = cgroupPath(readCgroup(member) ?? []) ?? '';
  return group.endsWith(path) ? { ...now, mountPoint: now.root + group.slice(0, -path.length) } : now;
}

/** The steps by which a process joins the cgroup at this path, which need not exist yet. */
export function joinSteps(path: string): Step[] {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') return [];
  const own = inTree(path);
  return (hierarchies.version === 1 ? driverV1(hierarchies, own) : driverV2(hierarchies, own)).joinSteps();
}

/** The directories of the cgroup at this path, for a container that is to see them. */
export function cgroupView(path: string): CgroupView {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') return { version: 'none', directories: [] };
  if (hierarchies.version === 2) {
    return {
      version: 2,
      directories: [{ controller: 'all', directory: hierarchies.root ?? hierarchies.mountPoint }],
    };
  }
  const directories = hierarchies.hierarchies.map(({ mountPoint }) => ({
    controller: basename(mountPoint),
    directory: mountPoint + inTree(path),
  }));
  return { version: 1, directories };
}
