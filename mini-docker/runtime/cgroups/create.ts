// The cgroup driver for this machine: version 1 where controllers are mounted one by one, else version 2.
import type { Resources } from '../../formats/runtime-spec.ts';
import { type Cgroup, CgroupError } from './cgroup.ts';
import { readHierarchies } from './hierarchies.ts';
import { createV1, openV1 } from './v1.ts';

/**
 * Makes a cgroup with its limits. Nobody is in it yet.
 * @param options.path such as '/mini-docker/ID', below the root of each hierarchy; missing parents are made
 * @throws CgroupError that says which limit or controller is the trouble; nothing is left then
 */
export function createCgroup(options: { path: string; resources: Resources }): Cgroup {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 1) return createV1(hierarchies, options);
  throw new CgroupError('cgroup v2 is not done yet');
}

/** The cgroup at this path, or undefined when there is none. */
export function openCgroup(path: string): Cgroup | undefined {
  const hierarchies = readHierarchies();
  if (hierarchies.version === 1) return openV1(hierarchies, path);
  throw new CgroupError('cgroup v2 is not done yet');
}
