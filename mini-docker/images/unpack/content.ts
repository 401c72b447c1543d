// The content of the file that is being unpacked, which arrives in pieces.

import { writeSync } from 'node:fs';
import type { TarEntry } from '../../formats/tar/entry.ts';
import { call } from '../../linux/call.ts';
import { setTimes } from '../../linux/in-root.ts';
import { close, ftruncate } from '../../linux/syscalls.ts';
import { describeFile } from './entries.ts';

export class FileContent {
  readonly #fd: number;
  readonly #entry: TarEntry;
  /** Position behind the last byte written: a hole may follow. */
  #written = 0;

  constructor(fd: number, entry: TarEntry) {
    this.#fd = fd;
    this.#entry = entry;
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
    }
    this.#written = position + bytes.length;
  }

  /** Sets the length, owner, mode and times of the complete file. */
  finish(): void {
    const { size, mtime } = this.#entry;
    if (this.#written < size) call(ftruncate(this.#fd, size));
    describeFile(this.#fd, this.#entry);
    setTimes(this.#fd, null, mtime);
  }

  close(): void {
    call(close(this.#fd));
  }
}
