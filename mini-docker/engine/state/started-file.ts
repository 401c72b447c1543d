// Beside a running container, in its run directory: that its program was let run, when, and what it got from the
// networks. The record on disk says so a little later; a daemon that is killed in between leaves this.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonIfThere } from '../core/file-if-there.ts';
import type { ContainerRecord } from './record.ts';

type Started = Pick<ContainerRecord, 'networks' | 'ports'> & { startedAt: string };

export function writeStarted(directory: string, { networks, ports, state }: ContainerRecord): void {
  const started: Started = { startedAt: state.startedAt, networks, ...(ports ? { ports } : {}) };
  writeFileSync(pathIn(directory), JSON.stringify(started), { mode: 0o600 });
}

/** undefined when its program was not let run, as far as that daemon came. */
export function readStarted(directory: string): Started | undefined {
  return jsonIfThere(pathIn(directory)) as Started | undefined;
}

function pathIn(directory: string): string {
  return join(directory, 'started.json');
}
