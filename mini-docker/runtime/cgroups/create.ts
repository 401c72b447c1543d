// The cgroup driver for this machine: version 1 where controllers are mounted one by one, else version 2.
import { basename, posix } from 'node:path';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import type { Step } from '../../linux/step.ts';
import type { CgroupView } from '../cgroup-mount.ts';
import type { Cgroup } from './cgroup.ts';
import { readHierarchies } from './hierarchies.ts';
import { createV1, driverV1, openV1 } from './v1.ts';
import { createV2, driverV2, openV2 } from './v2.ts';

/** The parent comes from a request (--cgroup-parent): '..' ends at the root of the tree, and leads out of none. */
function inTree(path: string): string {
  return posix.join('/', path);
}

/**
 * Makes a cgroup with its limits. Nobody is in it yet.
 * @param options.path such as '/mini-docker/ID', below the root of each hierarchy; missing parents are made
 * @throws CgroupError that says which limit or controller is the trouble; nothing is left then
 */
export function createCgroup({ path, resources }: { path: string; resources: Resources }): Cgroup {
  const hierarchies = readHierarchies();
  const options = { path: inTree(path), resources };
  return hierarchies.version === 1 ? createV1(hierarchies, options) : createV2(hierarchies, options);
}

/** The cgroup at this path, or undefined when there is none. */
export function openCgroup(path: string): Cgroup | undefined {
  const hierarchies = readHierarchies();
  return hierarchies.version === 1 ? openV1(hierarchies, inTree(path)) : openV2(hierarchies, inTree(path));
}

/** What a process does to join the cgroup at this path, whether it is there yet or not. */
export function joinSteps(path: string): Step[] {
  const hierarchies = readHierarchies();
  const own = inTree(path);
  return (hierarchies.version === 1 ? driverV1(hierarchies, own) : driverV2(hierarchies, own)).joinSteps();
}

/** Where the group at this path lies, for a container that is to see it. */
export function cgroupView(path: string): CgroupView {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 2) return { version: 2, directories: [] };
  const directories = hierarchies.hierarchies.map(({ mountPoint }) => ({
    controller: basename(mountPoint),
    directory: mountPoint + inTree(path),
  }));
  return { version: 1, directories };
}
