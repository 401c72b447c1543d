// Selects the cgroup driver of this machine: version 1 if a controller is mounted in a v1 hierarchy, else
// version 2.
import { basename, posix } from 'node:path';
import type { Resources, Spec } from '../../formats/oci/runtime-spec.ts';
import { cgroupPath, readCgroup } from '../../linux/proc/cgroup.ts';
import type { Step } from '../../linux/step.ts';
import type { CgroupView } from '../cgroup-mount.ts';
import type { Cgroup, GroupOptions } from './cgroup.ts';
import { type HierarchyV2, readHierarchies } from './hierarchies.ts';
import { choosesCpus } from './limits.ts';
import { createNone, openNone } from './none.ts';
import { createV1, driverV1, openV1, placesOf } from './v1.ts';
import { createV2, driverV2, openV2 } from './v2.ts';

/**
 * The parent comes from a request (--cgroup-parent): '..' stops at the root of the tree and does not lead out
 * of it.
 */
function inTree(path: string): string {
  return posix.join('/', path);
}

/** The control group that a container of the engine gets. Groups that it could make in a shared cpuset would be seen by others. */
export function groupOf({ linux, mounts, process }: Spec): GroupOptions {
  const { cgroupsPath: path, resources = {} } = linux;
  const isWritable = mounts.some(({ type, options }) => type === 'cgroup' && !options?.includes('ro'));
  const mayMount = process.capabilities?.bounding.includes('CAP_SYS_ADMIN') === true;
  return { path, sharesCpuset: !choosesCpus(resources) && !isWritable && !mayMount };
}

/**
 * Makes an empty cgroup with its limits; missing parents are made.
 * @throws CgroupError when a limit or controller is unavailable; nothing is left then
 */
export function createCgroup(wanted: GroupOptions & { resources: Resources }): Cgroup {
  const hierarchies = readHierarchies();
  const options = { ...wanted, path: inTree(wanted.path) };
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

/** The steps by which a process joins the cgroup, which need not exist yet. */
export function joinSteps(options: GroupOptions): Step[] {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') return [];
  const path = inTree(options.path);
  const driver =
    hierarchies.version === 1 ? driverV1(hierarchies, { ...options, path }) : driverV2(hierarchies, path);
  return driver.joinSteps();
}

/** The directories of the cgroup, for a container that is to see them. */
export function cgroupView(options: GroupOptions): CgroupView {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 'none') return { version: 'none', directories: [] };
  if (hierarchies.version === 2) {
    return {
      version: 2,
      directories: [{ controller: 'all', directory: hierarchies.root ?? hierarchies.mountPoint }],
    };
  }
  const places = placesOf(hierarchies.hierarchies, { ...options, path: inTree(options.path) });
  const directories = places.map(({ mountPoint, directory }) => ({
    controller: basename(mountPoint),
    directory,
  }));
  return { version: 1, directories };
}
