// What is known of each box, on disk: other programs, that start later, want to know it.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type ProcessIdentity, sameProcess } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import type { Group } from '../07-cgroups/groups.ts';
import type { Descriptor } from '../09-images/store.ts';
import type { Connection } from '../10-network/network.ts';
import type { Spec } from './spec.ts';

const CONTAINERS = '/tmp/box/containers';

/** What a box has of the machine while it runs, and has to give back. */
export interface Held {
  group: Group;
  /** When it has a cable. */
  connection?: Connection | undefined;
}

export interface State {
  spec: Spec;
  /** A box is made of an image and not of a name, which may mean another image tomorrow. */
  image: Descriptor;
  /** Since it was started: its number 1, and who waits for that one to end. */
  box?: ProcessIdentity | undefined;
  keeper?: ProcessIdentity | undefined;
  held?: Held;
  /** Of the last time that it ended. */
  exitCode?: number;
}

export function logFile(name: string): string {
  return `${CONTAINERS}/${name}/log`;
}

/** A directory that must be new: of two who want the same name at once, one gets it. @throws Mistake for the other */
export function createState(spec: Spec, image: Descriptor): void {
  mkdirSync(CONTAINERS, { recursive: true });
  try {
    mkdirSync(`${CONTAINERS}/${spec.name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Mistake(`there is a box ${spec.name} already: rm ${spec.name}, or take another name`);
  }
  writeState({ spec, image });
}

/** Whoever reads it sees the old state or the new one, never half of one. rename(2) */
export function writeState(state: State): void {
  const file = `${CONTAINERS}/${state.spec.name}/state.json`;
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2));
  renameSync(`${file}.new`, file);
}

/** @throws Mistake when there is no box of that name */
export function readState(name: string): State {
  const found = allStates().find(({ spec }) => spec.name === name);
  if (found === undefined) throw new Mistake(`there is no box ${name}`);
  return found;
}

export function allStates(): State[] {
  mkdirSync(CONTAINERS, { recursive: true });
  return readdirSync(CONTAINERS).flatMap(name => {
    try {
      return [JSON.parse(readFileSync(`${CONTAINERS}/${name}/state.json`, 'utf8')) as State];
    } catch (error) {
      // It is just being made, or removed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** What the record says is what somebody saw. Whether it still holds, only the kernel knows. */
export function isRunning({ box, keeper }: State): boolean {
  return [box, keeper].some(identity => identity !== undefined && sameProcess(identity));
}

export function describeState(state: State): string {
  if (isRunning(state)) return 'running';
  if (state.exitCode !== undefined) return `exited (${state.exitCode})`;
  return state.box === undefined ? 'created' : 'ended, and nobody saw how';
}

/** Number 1 of a box, as the machine numbers it. @throws Mistake when it does not run */
export function runningBox(name: string): number {
  const state = readState(name);
  if (state.box === undefined || !sameProcess(state.box)) throw new Mistake(`${name} does not run`);
  return state.box.pid;
}
