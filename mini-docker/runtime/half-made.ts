// Cleans up after a daemon that was killed between creating a container and recording it: an unrecorded
// monitor, and a cgroup. The container's process saw the end of its pipe and has exited.
import { readFileSync, readlinkSync } from 'node:fs';
import { HeldProcess } from '../linux/held-process.ts';
import { openProcess, processIdentity } from '../linux/proc/identity.ts';
import { allPids } from '../linux/proc/pids.ts';
import { openCgroup } from './cgroups/create.ts';
import { FD } from './descriptors.ts';
import { exitFile } from './state.ts';

/**
 * Kills the monitor and removes the cgroup. `directory` is the container's; its monitor is the process with a
 * file open there.
 */
export async function discardHalfMade(options: { directory: string; cgroupsPath: string }): Promise<void> {
  const cgroup = openCgroup(options.cgroupsPath);
  cgroup?.kill();
  for (const pid of monitorsOf(options.directory)) {
    const identity = processIdentity(pid);
    const pidfd = identity && openProcess(identity);
    if (pidfd !== undefined) await new HeldProcess(pidfd).kill();
  }
  await cgroup?.delete();
}

function monitorsOf(directory: string): number[] {
  const file = exitFile(directory);
  return allPids().filter(pid => {
    try {
      // The link first: a command line is read from the process's memory, which can hold the reader up.
      if (readlinkSync(`/proc/${pid}/fd/${FD.exit}`) !== file) return false;
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('mini-docker-monitor');
    } catch {
      // It exited during the check.
      return false;
    }
  });
}
