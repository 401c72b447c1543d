// What a later daemon has to know of a container, in a file beside it: written before the program runs.
import { join } from 'node:path';
import { decodeWaitStatus } from '../linux/exits.ts';
import { readRegular } from '../linux/kept-file.ts';
import type { ProcessIdentity } from '../linux/proc/identity.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { EXIT_RECORD_SIZE } from './waiter.ts';

export interface State {
  container: ProcessIdentity;
  monitor: ProcessIdentity;
  cgroupsPath: string;
  terminal: boolean;
  stdin: boolean;
}

/** The directory is on a tmpfs as a rule, which a power failure empties: a rename suffices for it to be whole. */
export function writeState(directory: string, state: State): void {
  writeWhole(join(directory, 'state.json'), JSON.stringify(state));
}

export function readState(directory: string): State | undefined {
  const text = readOrUndefined(join(directory, 'state.json'));
  return text === undefined ? undefined : (JSON.parse(text.toString()) as State);
}

export function exitFile(directory: string): string {
  return join(directory, 'exit');
}

/** What the monitor wrote down; undefined when it did not come to that, or when something else is there. */
export function readExit(directory: string): { code: number; signal?: number; at: Date } | undefined {
  let record: Buffer;
  try {
    record = readRegular(exitFile(directory));
  } catch {
    return undefined;
  }
  if (record.length < EXIT_RECORD_SIZE) return undefined;
  const milliseconds = Number(record.readBigInt64LE(0)) * 1000 + Number(record.readBigInt64LE(8)) / 1e6;
  // Other bytes than the monitor's: no time that a Date could hold.
  if (!(Math.abs(milliseconds) < 8.64e15)) return undefined;
  return { ...decodeWaitStatus(record.readInt32LE(16)), at: new Date(milliseconds) };
}

function readOrUndefined(file: string): Buffer | undefined {
  try {
    return readRegular(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
