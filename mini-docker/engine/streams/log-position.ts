// The positions of the log and the journals, in one small file that is written by one system call: a killed
// daemon leaves the old position or the new one.

import { closeSync, writeSync } from 'node:fs';
import { quietly } from '../../formats/quietly.ts';
import { readRegular } from '../../linux/kept-file.ts';
import { openKept } from '../../linux/set-aside.ts';
import type { LogPosition } from './log-file.ts';

export interface OutputPosition {
  log: LogPosition;
  /** Bytes of each stream that have become log lines. */
  stdout: number;
  stderr: number;
}

export class PositionFile {
  readonly #fd: number;
  readonly #words = new Float64Array(4);

  constructor(path: string) {
    this.#fd = openKept(path, 0o600);
  }

  write({ log, stdout, stderr }: OutputPosition): void {
    this.#words.set([log.generation, log.offset, stdout, stderr]);
    writeSync(this.#fd, this.#words, 0, this.#words.byteLength, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** undefined when no position was written yet. */
export function readPosition(path: string): OutputPosition | undefined {
  const bytes = quietly(() => readRegular(path));
  if (bytes === undefined) return undefined;
  if (bytes.length < 32) return undefined;
  const at = (index: number) => bytes.readDoubleLE(index * 8);
  if (![0, 1, 2, 3].every(index => Number.isSafeInteger(at(index)) && at(index) >= 0)) return undefined;
  return { log: { generation: at(0), offset: at(1) }, stdout: at(2), stderr: at(3) };
}
