// Writes a container's log on disk: appends, rotates, and survives a full disk. Readers are in log-reader.ts.

import { closeSync, ftruncateSync, writeSync } from 'node:fs';
import { unlessMissing } from '../../formats/quietly.ts';
import { sizeOfRegular } from '../../linux/kept-file.ts';
import { openKept, renameOver } from '../../linux/set-aside.ts';

export interface LogFileOptions {
  path: string;
  /** Size in bytes at which a new file is started; undefined: never. */
  maxSize?: number;
  /** Number of files to keep, including the current one. */
  maxFiles: number;
  /** Called once when a write fails. */
  warn(message: string): void;
}

/**
 * Where the log ends, so that lines that a killed daemon wrote beyond it can be truncated and written
 * again.
 */
export interface LogPosition {
  /** Number of rotations. */
  generation: number;
  offset: number;
}

export class LogFile {
  readonly path: string;
  readonly maxFiles: number;
  readonly #maxSize: number;
  readonly #warn: (message: string) => void;
  readonly #changed = new Set<() => void>();
  #fd: number | undefined;
  #generation: number;
  #offset: number;
  #lost = 0;
  #closed = false;

  /** `from`: the position that an earlier daemon recorded. Anything beyond it in the file is truncated. */
  constructor(options: LogFileOptions, from?: LogPosition) {
    this.path = options.path;
    this.maxFiles = options.maxFiles;
    this.#maxSize = options.maxSize ?? Number.POSITIVE_INFINITY;
    this.#warn = options.warn;
    const size = sizeOfRegular(this.path);
    // A shorter file than recorded: the daemon was killed between starting a new file and recording it.
    const wasRotated = from !== undefined && (size === undefined || size < from.offset);
    this.#generation = (from?.generation ?? 0) + (wasRotated ? 1 : 0);
    this.#offset = wasRotated ? 0 : (from?.offset ?? size ?? 0);
    if (size !== undefined && size > this.#offset) this.#cut(this.#offset);
  }

  get position(): LogPosition {
    return { generation: this.#generation, offset: this.#offset };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that were dropped because the disk was full. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * Whether a line belongs in a new file when `pending` bytes come before it. Then append those, save the
   * position, and call rotate().
   */
  isFullFor(line: number, pending: number): boolean {
    const before = this.#offset + pending;
    return before > 0 && before + line > this.#maxSize;
  }

  /**
   * Writes whole lines, all or none. Never throws: lines that cannot be written are counted and dropped, and
   * the program keeps running.
   */
  append(lines: string): void {
    const bytes = Buffer.from(lines);
    try {
      const fd = this.#open();
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, bytes.length - done, this.#offset + done);
      }
      this.#offset += bytes.length;
    } catch (error) {
      if (this.#lost === 0) {
        this.#warn(`cannot write ${this.path}: ${(error as Error).message}; output is lost until it can`);
      }
      this.#lost += bytes.length;
      this.#cut(this.#offset);
    }
    this.#tell();
  }

  /** Starts a new file, and deletes the oldest when there are more than `maxFiles`. */
  rotate(): void {
    try {
      if (this.maxFiles <= 1) {
        ftruncateSync(this.#open(), 0);
      } else {
        this.#closeFile();
        for (let age = this.maxFiles - 1; age >= 1; age--) {
          unlessMissing(() =>
            renameOver(age === 1 ? this.path : `${this.path}.${age - 1}`, `${this.path}.${age}`),
          );
        }
        this.#open();
      }
      this.#generation += 1;
      this.#offset = 0;
    } catch (error) {
      this.#warn(`cannot rotate ${this.path}: ${(error as Error).message}`);
    }
    this.#tell();
  }

  /** Makes the file, for readers that come before the first line. */
  makeFile(): void {
    try {
      if (!this.#closed) this.#open();
    } catch {
      // append() will report the error.
    }
  }

  /** Calls back after every change, and after close. */
  onChange(listener: () => void): { stop(): void } {
    this.#changed.add(listener);
    return { stop: () => void this.#changed.delete(listener) };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeFile();
    this.#tell();
  }

  #open(): number {
    // Not O_APPEND, since pwrite(2) then ignores its offset: bytes beyond the recorded position must be
    // overwritten.
    this.#fd ??= openKept(this.path, 0o640);
    return this.#fd;
  }

  #closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #cut(size: number): void {
    try {
      ftruncateSync(this.#open(), size);
    } catch {
      // The next append overwrites it.
    }
  }

  #tell(): void {
    for (const listener of [...this.#changed]) listener();
  }
}
