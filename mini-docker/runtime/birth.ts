// Creates the first process of a container or an exec in its cgroup. With version 2 it is created there
// (clone3(2), CLONE_INTO_CGROUP): joining later takes a lock that waits for all CPUs, 10 to 20 ms. With
// version 1 it joins by itself, which is fast there.
import { CLONE, SIG } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import type { Step } from '../linux/step.ts';
import { encodeCloneArgs } from '../linux/structures.ts';
import { clone3, cloneCall, close } from '../linux/syscalls.ts';
import { FD } from './descriptors.ts';

/** How the process enters the cgroup: by steps of its own, or by being created in the one at FD.cgroup. */
export type CgroupEntry = { join: readonly Item[] } | 'born in it';

/** @param pid receives the child's pid, an int, before the child runs */
export function birth(options: { flags: number; pid: Uint8Array; cgroup: CgroupEntry }): Step {
  const { flags, pid, cgroup } = options;
  if (cgroup !== 'born in it') return cloneCall(flags | CLONE.PARENT_SETTID | SIG.CHLD, 0, pid, 0, 0);
  // With CLONE_PARENT the child inherits the exit signal of the cloning process, and clone3 refuses any
  // other.
  const exitSignal = (flags & CLONE.PARENT) === 0 ? SIG.CHLD : 0;
  return clone3(encodeCloneArgs({ flags, exitSignal, pid, cgroup: FD.cgroup }));
}

/** The child no longer needs a descriptor of a host directory. */
export function afterBirth(cgroup: CgroupEntry): Item[] {
  return cgroup === 'born in it' ? [close(FD.cgroup)] : [];
}

export function joinItems(cgroup: CgroupEntry): Item[] {
  return cgroup === 'born in it' ? [] : [...cgroup.join];
}
