// What a box may leave outside of itself: nothing. Compared one by one, since a sum hides what came and what went.
import { setTimeout as sleep } from 'node:timers/promises';
import { readMountinfo } from '#linux';
import type { Lab } from './lab.ts';

/** The mounts of the sandbox: where they are, by their numbers. */
export function mountsOutside({ sandbox }: Lab): Map<number, string> {
  return new Map(readMountinfo(sandbox.pid)!.map(({ id, mountPoint }) => [id, mountPoint]));
}

/** The places of mounts that were not there before. */
export function newMounts(lab: Lab, before: ReadonlyMap<number, string>): string[] {
  return [...mountsOutside(lab)].filter(([id]) => !before.has(id)).map(([, place]) => place);
}

/** 'outside, there is a new mount on /tmp/a' for the `seen` of a promise. */
export function toldMounts(places: readonly string[]): string {
  return places.length === 0
    ? 'outside, no mount is new'
    : `outside, there are new mounts on ${places.slice(0, 4).join(', ')}`;
}

/** Processes that were not there before, and are still there after a moment in which those that end can end. */
export async function newProcesses({ sandbox }: Lab, before: readonly number[]): Promise<number[]> {
  for (const deadline = Date.now() + 2000; ; ) {
    const left = sandbox.processes().filter(pid => !before.includes(pid));
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(20);
  }
}
