// The control group of a box: where config.json wants it, with the limits that it asks for.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Group, type Limits, makeGroup, removeGroup } from '../07-cgroups/groups.ts';
import { allowDevices } from '../16-rights/devices.ts';
import type { Config } from './bundle.ts';

/** At linux.cgroupsPath, in every tree; without that, box/ID. */
export async function groupFor(id: string, { linux }: Config): Promise<Group> {
  const { dir, base } = posix.parse(posix.join('/', linux?.cgroupsPath ?? `box/${id}`));
  const { memory, cpu, pids } = linux?.resources ?? {};
  const limits: Limits = {};
  // Engines write 0 or -1 for: no limit.
  if ((memory?.limit ?? 0) > 0) limits.memory = memory!.limit!;
  if ((pids?.limit ?? 0) > 0) limits.pids = pids!.limit!;
  if ((cpu?.quota ?? 0) > 0) limits.cpus = cpu!.quota! / (cpu!.period ?? 100_000);
  const group = makeGroup(base, limits, dir);
  await allowDevices(group);
  return group;
}

/** All processes of a box: a box that shares the machine's pid namespace does not end with its first one. */
export function processesIn([directory]: Group): number[] {
  if (directory === undefined) return [];
  return readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
}

/** Of ten milliseconds each. */
const TRIES = 1000;

/** A killed process is in its group until it has ended, which takes a moment. */
export async function giveBackGroup(group: Group): Promise<void> {
  for (const directory of group) {
    for (let tries = 1; ; tries++) {
      try {
        removeGroup([directory]);
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') break;
        if (code !== 'EBUSY' || tries === TRIES) throw error;
        await sleep(10);
      }
    }
  }
}
