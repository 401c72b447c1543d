// Reads a container's log from disk: from its end for --tail, and continuously for --follow. Readers keep
// their files open, so that a rotation takes nothing away from them.

import { constants, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quietly } from '../../formats/quietly.ts';
import { decodeLogLine, type LogLine } from './json-file-log.ts';
import type { LogFile, LogPosition } from './log-file.ts';

export interface ReadLogOptions {
  path: string;
  /** Number of lines from the end; all when missing. */
  tail?: number;
  since?: bigint;
  until?: bigint;
  /** Position to stop at, without `follow`. */
  upTo?: LogPosition;
  /** Log to follow, until it is closed. */
  follow?: LogFile;
  signal?: AbortSignal;
}

const BLOCK = 256 * 1024;

export async function* readLog(options: ReadLogOptions): AsyncGenerator<LogLine> {
  yield* await openLog(options);
}

/** Opens the log at once: the reader gets its lines even if the container is removed before the first. The iteration closes it. */
export async function openLog(options: ReadLogOptions): Promise<AsyncGenerator<LogLine>> {
  const { path, follow } = options;
  // Generation of the newest file, read before the files are opened: a file that is rotated meanwhile comes
  // twice or never.
  const generation = follow?.position.generation ?? 0;
  follow?.makeFile();
  return linesOf(await openAll(path), generation, options);
}

async function* linesOf(
  files: FileHandle[],
  newest: number,
  options: ReadLogOptions,
): AsyncGenerator<LogLine> {
  const { tail, since, until, follow, signal } = options;
  let generation = newest;
  try {
    const start = tail === undefined ? { index: 0, offset: 0 } : await findTail(files, tail);
    let offset = start.offset;
    for (let index = start.index; index < files.length; index++) {
      const isNewest = index === files.length - 1;
      const reader = new LineReader(files[index]!, offset, isNewest ? options.upTo?.offset : undefined);
      offset = 0;
      for await (const line of reader.lines()) {
        if (since !== undefined && line.time < since) continue;
        if (until !== undefined && line.time > until) return;
        yield line;
      }
      if (!isNewest || follow === undefined) continue;
      // In the newest file: wait for more lines, or for the next file.
      for (;;) {
        const isLast = follow.position.generation === generation;
        const closed = follow.closed;
        for await (const line of reader.lines()) {
          if (until !== undefined && line.time > until) return;
          if (since === undefined || line.time >= since) yield line;
        }
        if (!isLast) break;
        if (closed) return;
        if (!(await grown(follow, { reader, generation, until, signal }))) return;
      }
      const next = await openGeneration(follow, generation + 1);
      if (next === undefined) return;
      generation = next.generation;
      files.push(next.file);
    }
  } finally {
    await Promise.all(files.map(file => file.close()));
  }
}

/** Longest line in characters. */
const LONGEST_LINE = 4 << 20;

/** Reads whole lines from an offset up to the file's present end; later calls continue there. */
class LineReader {
  readonly #file: FileHandle;
  #offset: number;
  readonly #end: number;
  #rest = '';
  readonly #decoder = new TextDecoder();

  constructor(file: FileHandle, offset: number, end = Number.POSITIVE_INFINITY) {
    this.#file = file;
    this.#offset = offset;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  async *lines(): AsyncGenerator<LogLine> {
    const block = Buffer.allocUnsafe(BLOCK);
    for (;;) {
      const length = Math.min(BLOCK, this.#end - this.#offset);
      if (length <= 0) return;
      const { bytesRead } = await this.#file.read(block, 0, length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const lines = (this.#rest + this.#decoder.decode(block.subarray(0, bytesRead), { stream: true })).split(
        '\n',
      );
      this.#rest = lines.pop()!;
      // The engine writes no line of this length.
      if (this.#rest.length > LONGEST_LINE) this.#rest = '';
      for (const text of lines) {
        const line = decodeLogLine(text);
        if (line) yield line;
      }
    }
  }
}

/** Oldest file first. Empty for a container that wrote nothing. */
async function openAll(path: string): Promise<FileHandle[]> {
  const name = basename(path);
  const ages = quietly(() =>
    readdirSync(dirname(path))
      .filter(
        each => each === name || (each.startsWith(`${name}.`) && /^\d+$/.test(each.slice(name.length + 1))),
      )
      .map(each => Number(each.slice(name.length + 1) || 0)),
  );
  if (ages === undefined) return [];
  const files: FileHandle[] = [];
  for (const age of ages.sort((a, b) => b - a)) {
    const file = await openIfThere(agedPath(path, age));
    if (file) files.push(file);
  }
  return files;
}

async function openGeneration(
  log: LogFile,
  wanted: number,
): Promise<{ file: FileHandle; generation: number } | undefined> {
  for (let generation = wanted; generation <= log.position.generation; generation++) {
    const file = await openIfThere(agedPath(log.path, log.position.generation - generation));
    if (file) return { file, generation };
  }
  return undefined;
}

function agedPath(path: string, age: number): string {
  return age === 0 ? path : join(dirname(path), `${basename(path)}.${age}`);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    // Non-blocking, since the file may have been replaced by a FIFO without a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The position where the last `count` lines begin. Reads backwards from the end, as far as necessary. */
async function findTail(files: FileHandle[], count: number): Promise<{ index: number; offset: number }> {
  let wanted = count;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index]!;
    const { size } = await file.stat();
    if (wanted === 0) return { index, offset: size };
    const block = Buffer.allocUnsafe(BLOCK);
    for (let end = size; end > 0; ) {
      const length = Math.min(BLOCK, end);
      await file.read(block, 0, length, end - length);
      // The newline at the very end of the file finishes a line and begins none.
      for (let at = length - 1 - (end === size ? 1 : 0); at >= 0; at--) {
        if (block[at] === 0x0a && --wanted === 0) return { index, offset: end - length + at + 1 };
      }
      end -= length;
    }
    // The beginning of a file also begins a line.
    if (size > 0 && --wanted === 0) return { index, offset: 0 };
  }
  return { index: 0, offset: 0 };
}

/** True when there is more to read; false when the reader has stopped, or its time is over. */
function grown(
  log: LogFile,
  options: {
    reader: LineReader;
    generation: number;
    until: bigint | undefined;
    signal: AbortSignal | undefined;
  },
): Promise<boolean> {
  const { reader, generation, until, signal } = options;
  const hasMore = () => {
    const position = log.position;
    return log.closed || position.generation !== generation || position.offset > reader.offset;
  };
  if (signal?.aborted) return Promise.resolve(false);
  if (hasMore()) return Promise.resolve(true);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const watch = log.onChange(() => {
    if (hasMore()) resolve(true);
  });
  const stop = () => resolve(false);
  signal?.addEventListener('abort', stop);
  const left = until === undefined ? undefined : Number(until / 1_000_000n) - Date.now();
  const timer = left === undefined ? undefined : setTimeout(stop, Math.min(Math.max(left, 0), 2 ** 31 - 1));
  return promise.finally(() => {
    watch.stop();
    signal?.removeEventListener('abort', stop);
    clearTimeout(timer);
  });
}
