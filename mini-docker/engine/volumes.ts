// Volumes in their simplest form: a directory each, <data root>/volumes/NAME/_data.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerSet } from './container-set.ts';
import { badParameter } from './errors.ts';
import type { DataPaths } from './paths.ts';
import type { ContainerRecord } from './record.ts';

export function volumePath(paths: DataPaths, name: string): string {
  return join(paths.volumes, name, '_data');
}

/** Makes the volumes of a container that are not there yet. */
export function makeVolumes(record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Type === 'volume') mkdirSync(mount.Source, { recursive: true, mode: 0o755 });
  }
}

/** What `-v` names and is not there becomes a directory, as docker has it; what `--mount` names must be there. */
export function makeBindSources(record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Type !== 'bind') continue;
    if (mount.mustExist) {
      if (existsSync(mount.Source)) continue;
      throw badParameter(
        `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
      );
    }
    try {
      mkdirSync(mount.Source, { recursive: true, mode: 0o755 });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // A file, a socket, a device: that is a source, too.
      if (code === 'EEXIST') continue;
      throw badParameter(
        `error while creating mount source path '${mount.Source}': ${(cause as Error).message}`,
      );
    }
  }
}

/** The anonymous volumes of a container that nobody else uses. */
export function removeAnonymousVolumes(record: ContainerRecord, containers: ContainerSet): void {
  const others = [...containers].filter(each => each.id !== record.id);
  for (const mount of record.mounts) {
    if (!mount.anonymous || mount.Name === undefined) continue;
    if (others.some(each => each.record.mounts.some(other => other.Name === mount.Name))) continue;
    rmSync(dirname(mount.Source), { recursive: true, force: true });
  }
}
