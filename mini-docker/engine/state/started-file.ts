// A file in a running container's run directory: it records that the program was started, when, and its
// network settings. The record on disk has the same a little later; if the daemon is killed in between, this
// file is left.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyObject, map, object, parse, parseObject, string } from '../../formats/schema.ts';
import { readRegular } from '../../linux/kept-file.ts';
import type { ContainerRecord } from './record.ts';

const startedFile = object({ ports: anyObject }, { startedAt: string, networks: map(anyObject) });

type Started = Pick<ContainerRecord, 'networks' | 'ports'> & { startedAt: string };

export function writeStarted(directory: string, { networks, ports, state }: ContainerRecord): void {
  const started: Started = { startedAt: state.startedAt, networks, ...(ports ? { ports } : {}) };
  writeFileSync(pathIn(directory), JSON.stringify(started), { mode: 0o600 });
}

/** undefined when the program was not started, as far as that daemon got. */
export function readStarted(directory: string): Started | undefined {
  try {
    const path = pathIn(directory);
    const bytes = readRegular(path);
    parse(bytes, path, startedFile);
    return parseObject(bytes, path) as unknown as Started;
  } catch {
    return undefined;
  }
}

function pathIn(directory: string): string {
  return join(directory, 'started.json');
}
