// The processes of a container, as the host numbers them.
import { ExpectedError } from '../formats/errors.ts';
import type { Cgroup } from '../runtime/cgroups/cgroup.ts';
import { openCgroup } from '../runtime/cgroups/create.ts';
import { isAlive, type StoredState } from './container-state.ts';

/** The container's control group, or what stands for it where there are none; undefined when it is gone. */
export function cgroupOf(state: StoredState): Cgroup | undefined {
  const cgroup = openCgroup(state.spec.linux.cgroupsPath);
  if (cgroup?.version === 'none' && isAlive(state)) cgroup.join(state.process!.pid);
  return cgroup;
}

export function processesOf(state: StoredState): number[] {
  return cgroupOf(state)?.processes() ?? [];
}

/** @throws ExpectedError when the container has ended, or runs without control groups */
export function runningCgroup(state: StoredState): Cgroup {
  if (!isAlive(state)) throw new ExpectedError('conflict', 'container not running');
  const cgroup = cgroupOf(state);
  if (cgroup === undefined) throw new ExpectedError('conflict', 'the control group of the container is gone');
  return cgroup;
}
