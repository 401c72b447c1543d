// What chapter 16 breaks out with, in a sandbox made for it: a disk that is only memory, and a hierarchy of control
// groups whose release_agent a box may set. By the second, a program in the sandbox can run any program on this machine;
// so only `learn shell --escapes` has it. Sandboxes that are made meanwhile have a group in that hierarchy, and so do not
// see its root.

import { closeSync, existsSync, readlinkSync } from 'node:fs';
import { SyscallError } from '#linux';
import { attachDisk } from './disks.ts';
import { withholdMachine } from './groups.ts';
import { escapeHierarchies, hierarchyOf, makerOf, mountHierarchy, removeHierarchy } from './hierarchies.ts';
import { freshGroupName, hasMaker } from './maker.ts';

/** <linux/proc_ns.h>: the inode of the first cgroup namespace, PROC_CGROUP_INIT_INO */
const FIRST_CGROUP_NAMESPACE = 'cgroup:[4026531835]';

export interface Escapes extends AsyncDisposable {
  /** Name of the hierarchy. */
  hierarchy: string;
  /** Variables for the shell. */
  environment(sandboxPid: number): Record<string, string>;
}

export class CannotEscape extends Error {}

/** Call it before the sandbox is made, and dispose of it after the sandbox. @throws CannotEscape */
export function openEscapes(): Escapes {
  if (process.geteuid?.() !== 0)
    throw new CannotEscape('cannot play the escapes: they need root (start learn with sudo)');
  if (readlinkSync('/proc/self/ns/cgroup') !== FIRST_CGROUP_NAMESPACE)
    throw new CannotEscape('cannot play the escapes: this machine is a container on another one');
  using opened = new DisposableStack();
  try {
    const hierarchy = hierarchyOf(freshGroupName());
    opened.adopt(mountHierarchy(hierarchy), closeSync);
    // Some kernels have no loop devices, or a container does not show them: then there is only the other way out.
    const disk = existsSync('/dev/loop-control')
      ? attachDisk('root:the password of your machine\n')
      : undefined;
    if (disk !== undefined) opened.adopt(disk.device, closeSync);
    const resources = opened.move();
    return {
      hierarchy,
      environment: pid => ({
        ...(disk && { DISK: `7 ${disk.minor}` }),
        HIERARCHY: hierarchy,
        OUTSIDE: `/proc/${pid}/root`,
      }),
      [Symbol.asyncDispose]: async () => {
        resources.dispose();
        // The loop device may be the machine's next.
        withholdMachine();
        await removeHierarchy(hierarchy);
      },
    };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new CannotEscape(`cannot play the escapes on this kernel: ${error.message}`);
  }
}

/** Removes the hierarchies whose maker was killed. Takes no time if there are none. */
export async function removeAbandonedHierarchies(): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  for (const name of escapeHierarchies()) if (!hasMaker(makerOf(name))) await removeHierarchy(name);
}
