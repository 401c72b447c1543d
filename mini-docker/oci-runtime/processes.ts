// The processes of a container, as the host numbers them.
import { ExpectedError } from '../formats/errors.ts';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import type { Cgroup } from '../runtime/cgroups/cgroup.ts';
import { createCgroup, openCgroup } from '../runtime/cgroups/create.ts';
import { createNone, openNone } from '../runtime/cgroups/none.ts';
import { isAlive, type StoredState } from './container-state.ts';

const NONE = { version: 'none', reason: 'this user may make no control groups' } as const;
const isUser = (): boolean => process.geteuid!() !== 0;

/** A user without rights to control groups gets a container without one, and without limits. */
export function makeCgroup({ linux }: Spec): Cgroup {
  const wanted = { path: linux.cgroupsPath, resources: linux.resources ?? {} };
  try {
    return createCgroup(wanted);
  } catch (error) {
    if (!isUser() || !/permission denied/.test((error as Error).message)) throw error;
    return createNone(NONE, wanted);
  }
}

/** The container's control group, or what stands for it where there are none; undefined when it is gone. */
export function cgroupOf(state: StoredState): Cgroup | undefined {
  const path = state.spec.linux.cgroupsPath;
  const cgroup = openCgroup(path) ?? (isUser() ? openNone(NONE, path) : undefined);
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
