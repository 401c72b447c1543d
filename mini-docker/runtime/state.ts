// The runtime's state of a container, for a later daemon: a file that is written before the program runs.

import { join } from 'node:path';
import { quietly, unlessMissing } from '../formats/quietly.ts';
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

/**
 * The directory is usually on a tmpfs, which a power failure empties: a rename is enough to make the file
 * appear whole.
 */
export function writeState(directory: string, state: State): void {
  writeWhole(join(directory, 'state.json'), JSON.stringify(state));
}

export function readState(directory: string): State | undefined {
  const text = unlessMissing(() => readRegular(join(directory, 'state.json')));
  return text === undefined ? undefined : (JSON.parse(text.toString()) as State);
}

export function exitFile(directory: string): string {
  return join(directory, 'exit');
}

/** The monitor's record of the exit; undefined when it was not written, or the file holds something else. */
export function readExit(directory: string): { code: number; signal?: number; at: Date } | undefined {
  const record = quietly(() => readRegular(exitFile(directory)));
  if (record === undefined) return undefined;
  if (record.length < EXIT_RECORD_SIZE) return undefined;
  const milliseconds = Number(record.readBigInt64LE(0)) * 1000 + Number(record.readBigInt64LE(8)) / 1e6;
  // Other bytes than the monitor's: the time is out of range for a Date.
  if (!(Math.abs(milliseconds) < 8.64e15)) return undefined;
  return { ...decodeWaitStatus(record.readInt32LE(16)), at: new Date(milliseconds) };
}
