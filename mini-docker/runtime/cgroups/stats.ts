// Statistics that both versions share.

import { availableParallelism, totalmem } from 'node:os';
import { readQuietly } from '../../linux/proc/file.ts';
import type { BlkioEntry, Stats } from '../container.ts';

/** A limit above the machine's memory is no limit: then the machine's memory applies. */
export function effectiveMemoryLimit(limit: number): number {
  return Math.min(limit, totalmem());
}

export function onlineCpus(): number {
  return availableParallelism();
}

/**
 * Documentation/accounting/psi.rst. A kernel without it has no such files, and answers EOPNOTSUPP where it is off.
 * @param fileOf path of the file for 'cpu', 'memory' or 'io'
 */
export function readPressure(fileOf: (kind: string) => string): NonNullable<Stats['pressure']> {
  const kinds = ['cpu', 'memory', 'io'] as const;
  return Object.fromEntries(
    kinds.flatMap(kind => {
      const average = /^some avg10=([\d.]+)/m.exec(readQuietly(fileOf(kind)) ?? '')?.[1];
      return average === undefined ? [] : [[kind, Number(average)]];
    }),
  );
}

/**
 * Lines '8:0 Read 4096' of blkio.throttle.*; the lines Sync, Async, Discard and Total repeat the same bytes.
 */
export function decodeBlkioV1(file: string): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of file.split('\n')) {
    const match = /^(\d+):(\d+) (Read|Write) (\d+)$/.exec(line);
    if (!match) continue;
    const [, major, minor, op, value] = match;
    entries.push({
      major: Number(major),
      minor: Number(minor),
      op: op as 'Read' | 'Write',
      value: Number(value),
    });
  }
  return entries;
}
