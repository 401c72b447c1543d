// Checks that a box leaves nothing behind outside. Compares items one by one: equal counts can hide a swap.
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo } from '#linux';
import type { Lab } from './lab.ts';

/** The sandbox's mounts: mount points by mount IDs. */
export function mountsOutside({ sandbox }: Lab): Map<number, string> {
  return new Map(readMountinfo(sandbox.pid)!.map(({ id, mountPoint }) => [id, mountPoint]));
}

/** The mount points of new mounts. */
export function newMounts(lab: Lab, before: ReadonlyMap<number, string>): string[] {
  return [...mountsOutside(lab)].filter(([id]) => !before.has(id)).map(([, place]) => place);
}

/** Describes new mounts for the `seen` of a promise. */
export function toldMounts(places: readonly string[]): string {
  return places.length === 0
    ? 'there are no new mounts outside'
    : `there are new mounts outside, on ${places.slice(0, 4).join(', ')}`;
}

/** New processes that still exist after those that are about to end have had a moment to do so. */
export async function newProcesses({ sandbox }: Lab, before: readonly number[]): Promise<number[]> {
  for (const deadline = Date.now() + 2000; ; ) {
    const left = sandbox.processes().filter(pid => !before.includes(pid));
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(20);
  }
}
