// Records on disk. A record is written beside its place and renamed into it: whoever reads finds the old one or the
// new one, whenever the writer was killed.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import { writeWhole } from '../../linux/whole-file.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerRecord } from './record.ts';

const CREATING = '.creating-';
const REMOVING = '.removing-';

export function saveRecord(paths: DataPaths, record: ContainerRecord): void {
  writeWhole(paths.container(record.id).config, encodeRecord(record));
}

/**
 * Makes the container's directory with its record, both or neither: everything is built under a name that the next
 * start of the daemon sweeps away, and appears by one rename.
 */
export function createRecord(paths: DataPaths, record: ContainerRecord): void {
  const building = join(paths.containers, `${CREATING}${record.id}`);
  try {
    mkdirSync(building, { mode: 0o710 });
    // What root of the image looks like comes from its layers; overlay takes the merged root's mode from the topmost.
    mkdirSync(join(building, 'upper'), { mode: 0o755 });
    mkdirSync(join(building, 'work'), { mode: 0o700 });
    writeFileSync(join(building, 'config.json'), encodeRecord(record), { mode: 0o600 });
    renameSync(building, paths.container(record.id).directory);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    throw error;
  }
}

/** Takes the container's directory out of sight, by one rename; gives the path whose content is left to delete. */
export function retireRecord(paths: DataPaths, id: string): string {
  const retired = join(paths.containers, `${REMOVING}${id}`);
  renameSync(paths.container(id).directory, retired);
  return retired;
}

/** All containers on disk. Directories that a killed daemon left half made or half removed are deleted. */
export function loadRecords(paths: DataPaths, warn: (message: string) => void): ContainerRecord[] {
  mkdirSync(paths.containers, { recursive: true, mode: 0o710 });
  const records: ContainerRecord[] = [];
  for (const name of readdirSync(paths.containers)) {
    if (name.startsWith(CREATING) || name.startsWith(REMOVING)) {
      removeTreeNow(join(paths.containers, name));
    } else if (/^[0-9a-f]{64}$/.test(name)) {
      try {
        records.push(decodeRecord(readFileSync(paths.container(name).config), name));
      } catch (error) {
        warn(`container ${name} is left alone: its record cannot be read: ${(error as Error).message}`);
      }
    }
  }
  return records;
}

export function encodeRecord(record: ContainerRecord): string {
  return JSON.stringify(record);
}

/** Throws when it is not a record of container `id`: cut off, or somebody else's. */
export function decodeRecord(bytes: Uint8Array, id: string): ContainerRecord {
  const record = JSON.parse(Buffer.from(bytes).toString()) as ContainerRecord;
  if (record?.version !== 1) throw new Error(`record version ${record?.version} is not known`);
  if (record.id !== id) throw new Error(`it is the record of ${record.id}`);
  return record;
}
