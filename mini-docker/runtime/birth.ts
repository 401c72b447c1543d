// How the container's first process, and an exec's, comes into the world and into its cgroup. With version 2 it is born
// there (clone3(2), CLONE_INTO_CGROUP): joining later would take a lock that waits for all CPUs, 10 to 20 ms. With version
// 1 it joins by itself, which is quick there.
import { CLONE, SIG } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import type { Step } from '../linux/step.ts';
import { encodeCloneArgs } from '../linux/structures.ts';
import { clone3, cloneCall, close } from '../linux/syscalls.ts';
import { FD } from './descriptors.ts';

/** How a process gets into the cgroup: by steps of its own, or by being born in the one that FD.cgroup stands for. */
export type CgroupEntry = { join: readonly Item[] } | 'born in it';

/** @param pid takes the child's pid, an int, before the child runs */
export function birth(options: { flags: number; pid: Uint8Array; cgroup: CgroupEntry }): Step {
  const { flags, pid, cgroup } = options;
  if (cgroup !== 'born in it') return cloneCall(flags | CLONE.PARENT_SETTID | SIG.CHLD, 0, pid, 0, 0);
  // With CLONE_PARENT the child takes over the signal of the one that clones, and clone3 refuses another.
  const exitSignal = (flags & CLONE.PARENT) === 0 ? SIG.CHLD : 0;
  return clone3(encodeCloneArgs({ flags, exitSignal, pid, cgroup: FD.cgroup }));
}

/** The child has no more need of a directory of the host. */
export function afterBirth(cgroup: CgroupEntry): Item[] {
  return cgroup === 'born in it' ? [close(FD.cgroup)] : [];
}

export function joinItems(cgroup: CgroupEntry): Item[] {
  return cgroup === 'born in it' ? [] : [...cgroup.join];
}
