// Records on disk. A record is written beside its place and renamed into it: whoever reads finds the old one or the
// new one, whenever the writer was killed.

import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirectory, loadKept, sweep, type Tell } from '../../linux/kept-file.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import { renameOver } from '../../linux/set-aside.ts';
import { writeWhole } from '../../linux/whole-file.ts';
import type { DataPaths } from '../core/paths.ts';
import { brokenRecord } from './broken-record.ts';
import type { ContainerRecord } from './record.ts';
import { parseRecord } from './record-shape.ts';

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
    writeWhole(join(building, 'config.json'), encodeRecord(record));
    renameSync(building, paths.container(record.id).directory);
  } catch (error) {
    removeTreeNow(building);
    throw error;
  }
}

/** Takes the container's directory out of sight, by one rename; gives the path whose content is left to delete. */
export function retireRecord(paths: DataPaths, id: string): string {
  const retired = join(paths.containers, `${REMOVING}${id}`);
  renameOver(paths.container(id).directory, retired);
  return retired;
}

/**
 * All containers on disk, those whose records are lost included. What a killed daemon left half made or half removed is
 * deleted.
 */
export function loadRecords(paths: DataPaths, tell: Tell): ContainerRecord[] {
  ensureDirectory(paths.containers, { mode: 0o710, tell });
  sweep(paths.containers, {
    unwanted: name => name.startsWith(CREATING) || name.startsWith(REMOVING),
    tell,
  });
  return readdirSync(paths.containers, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && /^[0-9a-f]{64}$/.test(entry.name))
    .map(({ name: id }) => loadRecord(paths, id, tell));
}

function loadRecord(paths: DataPaths, id: string, tell: Tell): ContainerRecord {
  let why = 'the file is missing';
  const decode = (bytes: Buffer) => {
    try {
      return decodeRecord(bytes, id);
    } catch (error) {
      why = (error as Error).message;
      throw error;
    }
  };
  const record = loadKept(paths.container(id).config, decode, tell);
  if (record !== undefined) return record;
  const broken = brokenRecord(paths, id, why);
  tell(
    `container ${broken.name} (${id.slice(0, 12)}) has no record: it can be inspected, stopped and removed`,
  );
  return broken;
}

export function encodeRecord(record: ContainerRecord): string {
  return JSON.stringify(record);
}

/** Throws when it is not a record of container `id`: cut off, or somebody else's. */
export function decodeRecord(bytes: Uint8Array, id: string): ContainerRecord {
  return parseRecord(bytes, id);
}
