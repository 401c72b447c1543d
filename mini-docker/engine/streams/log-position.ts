// How far the log and the journals are, in one small file that is written by one system call: a daemon that is killed
// leaves the old position or the new one.

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { fileIfThere } from '../core/file-if-there.ts';
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
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  write({ log, stdout, stderr }: OutputPosition): void {
    this.#words.set([log.generation, log.offset, stdout, stderr]);
    writeSync(this.#fd, this.#words, 0, this.#words.byteLength, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** undefined when nothing was written yet. */
export function readPosition(path: string): OutputPosition | undefined {
  const bytes = fileIfThere(path);
  if (bytes === undefined || bytes.length < 32) return undefined;
  const at = (index: number) => bytes.readDoubleLE(index * 8);
  return { log: { generation: at(0), offset: at(1) }, stdout: at(2), stderr: at(3) };
}
