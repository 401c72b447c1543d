// Records on disk. A record is written beside its place and renamed into it: a reader finds the old one or
// the new one, even if the writer is killed.

import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirectory, loadKept, sizeOfRegular, sweep, type Tell } from '../../linux/kept-file.ts';
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
 * Creates the container's directory with its record, or neither: everything is built under a temporary name,
 * which the next daemon deletes, and appears by one rename.
 */
export function createRecord(paths: DataPaths, record: ContainerRecord): void {
  const building = join(paths.containers, `${CREATING}${record.id}`);
  try {
    mkdirSync(building, { mode: 0o710 });
    // The merged root has the mode of its topmost layer; the image's layers decide the rest.
    mkdirSync(join(building, 'upper'), { mode: 0o755 });
    mkdirSync(join(building, 'work'), { mode: 0o700 });
    writeFileSync(join(building, 'config.json'), encodeRecord(record), { mode: 0o600, flag: 'wx' });
    renameSync(building, paths.container(record.id).directory);
  } catch (error) {
    removeTreeNow(building);
    throw error;
  }
}

/** Hides the container's directory by one rename; returns the path that is left to delete. */
export function retireRecord(paths: DataPaths, id: string): string {
  const retired = join(paths.containers, `${REMOVING}${id}`);
  renameOver(paths.container(id).directory, retired);
  return retired;
}

/**
 * All containers on disk, including those whose records are lost. Half-made and half-removed ones of a killed
 * daemon are deleted.
 */
export function loadRecords(paths: DataPaths, tell: Tell): ContainerRecord[] {
  ensureDirectory(paths.containers, { mode: 0o710, tell });
  sweep(paths.containers, {
    unwanted: name => name.startsWith(CREATING) || name.startsWith(REMOVING),
    tell,
  });
  return readdirSync(paths.containers, { withFileTypes: true })
    .filter(
      entry => entry.isDirectory() && /^[0-9a-f]{64}$/.test(entry.name) && !dropHalfMade(paths, entry.name),
    )
    .map(({ name: id }) => loadRecord(paths, id, tell));
}

/**
 * The power failed while it was created: its directory was on the disk before the content of its record, and no client was
 * told of it.
 */
function dropHalfMade(paths: DataPaths, id: string): boolean {
  const { directory, config, upperdir } = paths.container(id);
  if (sizeOfRegular(config) !== 0 || !existsSync(upperdir) || readdirSync(upperdir).length > 0) return false;
  // A start adds more files, and so does a little time.
  if (readdirSync(directory).some(name => !['config.json', 'upper', 'work'].includes(name))) return false;
  removeTreeNow(directory);
  return true;
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

/** @throws FormatError when it is not a record of container `id`: truncated, or another container's */
export function decodeRecord(bytes: Uint8Array, id: string): ContainerRecord {
  return parseRecord(bytes, id);
}
