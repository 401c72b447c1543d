// The processes of a container, as the host numbers them.
import { ExpectedError } from '../formats/errors.ts';
import type { Cgroup } from '../runtime/cgroups/cgroup.ts';
import { openCgroup } from '../runtime/cgroups/create.ts';
import { isAlive, type StoredState } from './container-state.ts';

export function processesOf(state: StoredState): number[] {
  const own = isAlive(state) ? [state.process!.pid] : [];
  return openCgroup(state.spec.linux.cgroupsPath)?.processes() ?? own;
}

/** @throws ExpectedError when the container has ended, or runs without control groups */
export function runningCgroup(state: StoredState): Cgroup {
  if (!isAlive(state)) throw new ExpectedError('conflict', 'container not running');
  const cgroup = openCgroup(state.spec.linux.cgroupsPath);
  if (cgroup === undefined)
    throw new ExpectedError(
      'conflict',
      'the container has no control group: it was created without rights to them',
    );
  return cgroup;
}
