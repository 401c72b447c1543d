// A queue between a fast program and a slow client. It keeps a little in memory and the rest in unnamed
// files, so that the program never waits and the client misses nothing. A client that falls too far behind is
// told so, and left: it must not fill the disk.

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type ExpectedError, internal } from '../../formats/errors.ts';

/** Bytes in memory for each queue. */
const IN_MEMORY = 1024 * 1024;
/** Bytes after which another file is begun, so that the disk gets back what has been read. */
const FILE_SIZE = 16 * 1024 * 1024;
/**
 * Bytes in files for each queue, and for all together. Writing them takes the daemon's time, a second for each GiB or
 * so, while hundreds of clients may be attached to a program that never pauses.
 */
const ON_DISK = 128 * 1024 * 1024;
const ON_DISK_TOGETHER = 4 * ON_DISK;
let onDiskTogether = 0;

/** Entries of tag (a byte), length (four bytes) and data; those from `read` to `written` are waiting. */
interface SpillFile {
  fd: number;
  read: number;
  written: number;
}

export interface QueueItem<Tag extends string> {
  tag: Tag;
  data: Uint8Array;
}

/** A queue with one reader. `tags` are the kinds of items; `directory` is where the file is made. */
export class SpillQueue<Tag extends string> implements AsyncIterable<QueueItem<Tag>> {
  readonly #tags: readonly Tag[];
  readonly #directory: string;
  readonly #limit: number;
  readonly #onDisk: number;
  readonly #fileSize: number;
  #items: QueueItem<Tag>[] = [];
  #bytes = 0;
  #files: SpillFile[] = [];
  #ended = false;
  /** Why the queue has ended early. */
  #failure: ExpectedError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: {
    tags: readonly Tag[];
    directory: string;
    inMemory?: number;
    onDisk?: number;
    fileSize?: number;
  }) {
    this.#tags = options.tags;
    this.#directory = options.directory;
    this.#limit = options.inMemory ?? IN_MEMORY;
    this.#onDisk = options.onDisk ?? ON_DISK;
    this.#fileSize = options.fileSize ?? FILE_SIZE;
  }

  /**
   * Never blocks. If the files may not grow any more, the reader gets everything so far and then an error, since a
   * gap would go unnoticed.
   */
  push(tag: Tag, data: Uint8Array): void {
    if (this.#ended) return;
    if (this.#files.length === 0 && this.#bytes + data.length <= this.#limit) {
      this.#items.push({ tag, data });
      this.#bytes += data.length;
    } else {
      try {
        this.#spill(tag, data);
      } catch (cause) {
        this.#failure = internal(
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
    while (this.#files.length > 0) this.#closeFile();
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
    const [file] = this.#files;
    if (file === undefined) return undefined;
    const header = Buffer.alloc(5);
    readSync(file.fd, header, 0, 5, file.read);
    const data = Buffer.alloc(header.readUInt32LE(1));
    readSync(file.fd, data, 0, data.length, file.read + 5);
    file.read += 5 + data.length;
    // After the last file the reader has caught up: back to memory.
    if (file.read === file.written) this.#closeFile();
    return { tag: this.#tags[header[0]!]!, data };
  }

  #spill(tag: Tag, data: Uint8Array): void {
    const size = 5 + data.length;
    const behind = this.#files.reduce((sum, each) => sum + each.written, 0);
    if (behind + size > this.#onDisk || onDiskTogether + size > ON_DISK_TOGETHER)
      throw new Error(`it would be more than ${this.#onDisk} bytes, or too much with that of other clients`);
    const last = this.#files.at(-1);
    const file = last !== undefined && last.written < this.#fileSize ? last : this.#openFile();
    const header = Buffer.alloc(5);
    header[0] = this.#tags.indexOf(tag);
    header.writeUInt32LE(data.length, 1);
    const bytes = Buffer.concat([header, data]);
    if (writeSync(file.fd, bytes, 0, bytes.length, file.written) < bytes.length)
      throw new Error('no space is left on the disk');
    file.written += bytes.length;
    onDiskTogether += bytes.length;
  }

  #openFile(): SpillFile {
    const path = join(this.#directory, `spill-${randomUUID()}`);
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    const file = { fd, read: 0, written: 0 };
    this.#files.push(file);
    return file;
  }

  /** Closes the oldest file. */
  #closeFile(): void {
    const file = this.#files.shift()!;
    onDiskTogether -= file.written;
    closeSync(file.fd);
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
