// The record of each box, kept on disk for programs that start later.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type ProcessIdentity, sameProcess } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import type { Group } from '../07-cgroups/groups.ts';
import type { Descriptor } from '../09-images/store.ts';
import type { Connection } from '../10-network/network.ts';
import type { Spec } from './spec.ts';

const CONTAINERS = '/tmp/box/containers';

/** Resources of the machine that a box holds while it runs, and must give back. */
export interface Held {
  group: Group;
  /** Its cable, if it has one. */
  connection?: Connection | undefined;
}

export interface State {
  spec: Spec;
  /** The image itself, not its name: the name may mean another image tomorrow. */
  image: Descriptor;
  /** Once started: process 1 of the box, and the keeper that waits for it to end. */
  box?: ProcessIdentity | undefined;
  keeper?: ProcessIdentity | undefined;
  held?: Held;
  /** Exit code of the last run. */
  exitCode?: number;
}

export function logFile(name: string): string {
  return `${CONTAINERS}/${name}/log`;
}

/** Makes a directory that must be new: if two commands want the same name at once, the second fails. @throws Mistake */
export function createState(spec: Spec, image: Descriptor): void {
  mkdirSync(CONTAINERS, { recursive: true });
  try {
    mkdirSync(`${CONTAINERS}/${spec.name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Mistake(`there is a box ${spec.name} already: remove it, or choose another name`);
  }
  writeState({ spec, image });
}

/** Writes the record in one step: readers see the old state or the new one, never half of one. rename(2) */
export function writeState(state: State): void {
  const file = `${CONTAINERS}/${state.spec.name}/state.json`;
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2));
  renameSync(`${file}.new`, file);
}

/** @throws Mistake if there is no box of that name */
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
      // The box is just being made or removed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Asks the kernel: the record tells only what was true when it was written. */
export function isRunning({ box, keeper }: State): boolean {
  return [box, keeper].some(identity => identity !== undefined && sameProcess(identity));
}

export function describeState(state: State): string {
  if (isRunning(state)) return 'running';
  if (state.exitCode !== undefined) return `exited (${state.exitCode})`;
  return state.box === undefined ? 'created' : 'ended, exit unknown';
}

/** The pid of a box's process 1, outside the box. @throws Mistake if the box is not running */
export function runningBox(name: string): number {
  const state = readState(name);
  if (state.box === undefined || !sameProcess(state.box)) throw new Mistake(`${name} is not running`);
  return state.box.pid;
}
