// What a runtime remembers between two of its commands, and what it asks the kernel instead.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type ProcessIdentity, readStat, sameProcess } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import type { Group } from '../07-cgroups/groups.ts';
import type { Config } from './bundle.ts';

export interface Box {
  id: string;
  /** Absolute path. */
  bundle: string;
  config: Config;
  /** Where all this is kept. */
  directory: string;
  /** The `create` that makes it. */
  creator: ProcessIdentity;
  group?: Group;
  /** Its process 1, once that exists. */
  process?: ProcessIdentity;
}

export type Status = 'creating' | 'created' | 'running' | 'stopped';

/** The form in which the specification wants it: for `state`, and for the hooks. */
export interface State {
  ociVersion: string;
  id: string;
  status: Status;
  pid?: number;
  bundle: string;
  annotations?: Record<string, string>;
}

/** The box's process waits at this FIFO. `start` writes to it, and removes it. */
export const gateOf = ({ directory }: Pick<Box, 'directory'>): string => `${directory}/gate`;

/** @throws Mistake if the id is no name for a directory, or taken */
export function claim(root: string, id: string): string {
  if (!/^[\w+.-]+$/.test(id) || /^\.+$/.test(id)) throw new Mistake(`this is no id for a box: '${id}'`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(`${root}/${id}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Mistake(`there is a box ${id} already`);
  }
  return `${root}/${id}`;
}

export function writeBox(box: Box): void {
  writeFileSync(`${box.directory}/box.json.new`, JSON.stringify(box));
  renameSync(`${box.directory}/box.json.new`, `${box.directory}/box.json`);
}

const fileOf = (root: string, id: string): string => `${root}/${id}/box.json`;

export function isKnown(root: string, id: string): boolean {
  return id !== '' && !id.includes('/') && existsSync(fileOf(root, id));
}

/** @throws Mistake if there is none */
export function readBox(root: string, id: string): Box {
  if (!isKnown(root, id)) throw new Mistake(`there is no box ${id}`);
  return JSON.parse(readFileSync(fileOf(root, id), 'utf8')) as Box;
}

/** A zombie has ended, though its pid still exists. */
const lives = (identity: ProcessIdentity | undefined): boolean =>
  identity !== undefined && sameProcess(identity) && !/[ZX]/.test(readStat(identity.pid)?.state ?? 'X');

/** No status is ever written down. A record would still say `running` after a kill -9; these three questions cannot lie. */
export function statusOf(box: Box): Status {
  if (lives(box.creator)) return 'creating';
  if (!lives(box.process)) return 'stopped';
  return existsSync(gateOf(box)) ? 'created' : 'running';
}

export function stateOf(box: Box, status = statusOf(box)): State {
  const { annotations } = box.config;
  return {
    ociVersion: '1.0.2',
    id: box.id,
    status,
    ...(box.process !== undefined && status !== 'stopped' ? { pid: box.process.pid } : {}),
    bundle: box.bundle,
    ...(annotations === undefined ? {} : { annotations }),
  };
}
