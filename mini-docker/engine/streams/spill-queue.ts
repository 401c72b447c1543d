// A queue between a fast program and a slow client. It keeps a little in memory and the rest in an unnamed
// file, so that the program never waits and the client misses nothing.

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';

/** Bytes in memory for each queue. */
const IN_MEMORY = 1024 * 1024;

export interface QueueItem<Tag extends string> {
  tag: Tag;
  data: Uint8Array;
}

/** A queue with one reader. `tags` are the kinds of items; `directory` is where the file is made. */
export class SpillQueue<Tag extends string> implements AsyncIterable<QueueItem<Tag>> {
  readonly #tags: readonly Tag[];
  readonly #directory: string;
  readonly #limit: number;
  #items: QueueItem<Tag>[] = [];
  #bytes = 0;
  /** Entries of tag (a byte), length (four bytes) and data; those from `read` to `written` are waiting. */
  #file: { fd: number; read: number; written: number } | undefined;
  #ended = false;
  /** Why the queue has ended early. */
  #failure: ExpectedError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: { tags: readonly Tag[]; directory: string; inMemory?: number }) {
    this.#tags = options.tags;
    this.#directory = options.directory;
    this.#limit = options.inMemory ?? IN_MEMORY;
  }

  /**
   * Never blocks. If even the file has no room, the reader gets everything so far and then an error, since a
   * gap would go unnoticed.
   */
  push(tag: Tag, data: Uint8Array): void {
    if (this.#ended) return;
    if (this.#file === undefined && this.#bytes + data.length <= this.#limit) {
      this.#items.push({ tag, data });
      this.#bytes += data.length;
    } else {
      try {
        this.#spill(tag, data);
      } catch (cause) {
        this.#failure = new ExpectedError(
          'internal',
          `output is missing from here on: it was not read in time, and cannot be kept in ${this.#directory}: ${(cause as Error).message}`,
          { cause },
        );
        this.end();
      }
    }
    this.#wake?.();
  }

  /** No more data follows; what is queued is still delivered. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The reader has disconnected. Idempotent. */
  discard(): void {
    this.#items = [];
    this.#bytes = 0;
    this.#closeFile();
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<QueueItem<Tag>> {
    try {
      for (;;) {
        const item = this.#next();
        if (item !== undefined) yield item;
        else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#ended) return;
        else await this.#more();
      }
    } finally {
      this.discard();
    }
  }

  #next(): QueueItem<Tag> | undefined {
    const item = this.#items.shift();
    if (item !== undefined) {
      this.#bytes -= item.data.length;
      return item;
    }
    const file = this.#file;
    if (file === undefined) return undefined;
    const header = Buffer.alloc(5);
    readSync(file.fd, header, 0, 5, file.read);
    const data = Buffer.alloc(header.readUInt32LE(1));
    readSync(file.fd, data, 0, data.length, file.read + 5);
    file.read += 5 + data.length;
    // The reader has caught up: back to memory.
    if (file.read === file.written) this.#closeFile();
    return { tag: this.#tags[header[0]!]!, data };
  }

  #spill(tag: Tag, data: Uint8Array): void {
    this.#file ??= this.#openFile();
    const file = this.#file;
    const header = Buffer.alloc(5);
    header[0] = this.#tags.indexOf(tag);
    header.writeUInt32LE(data.length, 1);
    const bytes = Buffer.concat([header, data]);
    if (writeSync(file.fd, bytes, 0, bytes.length, file.written) < bytes.length)
      throw new Error('no space is left on the disk');
    file.written += bytes.length;
  }

  #openFile(): { fd: number; read: number; written: number } {
    const path = join(this.#directory, `spill-${randomUUID()}`);
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return { fd, read: 0, written: 0 };
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #more(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
