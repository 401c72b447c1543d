// Records on disk. Each is written beside its place and renamed into it, so a reader finds the old or the new one.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../linux/whole-file.ts';
import type { ContainerRecord, NetworkRecord } from './record.ts';

export interface RecordStore {
  networks(): NetworkRecord[];
  saveNetwork(record: NetworkRecord): void;
  removeNetwork(id: string): void;
  containers(): ContainerRecord[];
  /** Not synced to the disk: it takes 0.1 ms on a container's way to its start, and has no meaning after a power cut. */
  saveContainer(record: ContainerRecord): void;
  removeContainer(containerId: string): void;
}

export function openRecordStore(root: string): RecordStore {
  const networks = join(root, 'networks');
  const containers = join(root, 'containers');
  for (const directory of [networks, containers]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    networks: () => readAll<NetworkRecord>(networks),
    saveNetwork: record => write(join(networks, `${record.resource.Id}.json`), record, true),
    removeNetwork: id => rmSync(join(networks, `${id}.json`), { force: true }),
    containers: () => readAll<ContainerRecord>(containers),
    saveContainer: record => write(join(containers, `${record.containerId}.json`), record, false),
    removeContainer: id => rmSync(join(containers, `${id}.json`), { force: true }),
  };
}

/** What cannot be read was cut off by a power cut, or is of a version to come: it is left alone. */
function readAll<T extends { version: 1 }>(directory: string): T[] {
  return readdirSync(directory)
    .filter(name => /^[0-9a-f]+\.json$/.test(name))
    .flatMap(name => {
      try {
        const record = JSON.parse(readFileSync(join(directory, name), 'utf8')) as T;
        return record?.version === 1 ? [record] : [];
      } catch {
        return [];
      }
    });
}

const write = (path: string, record: object, durable: boolean): void =>
  writeWhole(path, JSON.stringify(record), { durable });
