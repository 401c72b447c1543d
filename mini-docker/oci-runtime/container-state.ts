// What is known of a container between one command and the next: a directory below --root with its state.
// Nothing of it is needed to keep the container running.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '../formats/errors.ts';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { readRegular } from '../linux/kept-file.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { type ProcessIdentity, sameProcess } from '../linux/proc/identity.ts';
import { readStat } from '../linux/proc/stat.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { openCgroup } from '../runtime/cgroups/create.ts';

export interface StoredState {
  id: string;
  bundle: string;
  /** RFC 3339. */
  created: string;
  /** User who created it. */
  owner: number;
  spec: Spec;
  /** The container's first process, once it exists. */
  process?: ProcessIdentity;
}

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** The form of the runtime specification, and of the hooks' standard input. */
export interface PublicState {
  ociVersion: string;
  id: string;
  status: Status;
  pid: number;
  bundle: string;
  annotations?: Record<string, string>;
}

export const OCI_VERSION = '1.2.0';

export function checkId(id: string): void {
  if (!/^[\w+.-]+$/.test(id) || id === '.' || id === '..')
    throw new ExpectedError(
      'badParameter',
      id === '' ? 'container id cannot be empty' : 'invalid container ID format',
    );
}

export const directoryOf = (root: string, id: string): string => join(root, id);
export const stateFile = (directory: string): string => join(directory, 'state.json');

/** The FIFO that exists until `start` has let the program run. */
export const fifoOf = (directory: string): string => join(directory, 'exec.fifo');

/** @throws ExpectedError when the id is taken */
export function makeDirectory(root: string, id: string): string {
  const directory = directoryOf(root, id);
  makeDirectories(root, 0o700);
  try {
    mkdirSync(directory, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new ExpectedError('conflict', 'container with given ID already exists');
  }
  return directory;
}

export function writeState(directory: string, state: StoredState): void {
  writeWhole(stateFile(directory), JSON.stringify(state));
}

/** @throws ExpectedError when there is no such container */
export function readState(root: string, id: string): StoredState {
  checkId(id);
  try {
    return JSON.parse(readRegular(stateFile(directoryOf(root, id))).toString()) as StoredState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new ExpectedError('notFound', 'container does not exist');
    throw new ExpectedError('internal', `the state of ${id} cannot be read: ${(error as Error).message}`);
  }
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

export function idsIn(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root).filter(id => existsSync(stateFile(directoryOf(root, id))));
}

/** Whether the first process exists and has not ended. */
export function isAlive({ process }: StoredState): boolean {
  return process !== undefined && sameProcess(process) && !/^[ZX]$/.test(readStat(process.pid)?.state ?? 'X');
}

export function statusOf(root: string, state: StoredState): Status {
  if (state.process === undefined) return 'creating';
  if (!isAlive(state)) return 'stopped';
  if (openCgroup(state.spec.linux.cgroupsPath)?.isFrozen() === true) return 'paused';
  return existsSync(fifoOf(directoryOf(root, state.id))) ? 'created' : 'running';
}

export function publicState(state: StoredState, status: Status): PublicState {
  const { annotations } = state.spec;
  return {
    ociVersion: OCI_VERSION,
    id: state.id,
    status,
    pid: status === 'stopped' ? 0 : (state.process?.pid ?? 0),
    bundle: state.bundle,
    ...(annotations && { annotations }),
  };
}
