// The output of a box: one file, in the format in which clients get it. A terminal's bytes are kept as they are; without
// a terminal, each piece is a frame: which stream, three zeros, the length in four bytes, then the bytes.
// https://docs.docker.com/reference/api/engine/version/v1.44/, ContainerAttach, "Stream format"
// The engine: mini-docker/formats/stream-frames.ts, mini-docker/engine/streams/
import { once } from 'node:events';
import { existsSync, statSync, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { openProcess, watchExit } from '#linux';
import { readState } from '../12-stay/state.ts';
import { readWanted } from './wanted.ts';

export const STREAM = { stdout: 1, stderr: 2 } as const;
const HEADER = 8;
const PIECE = 65_536;

export function frame(stream: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

/** Takes frames apart again, however they are cut into pieces. */
export async function* frames(
  pieces: AsyncIterable<Buffer>,
): AsyncGenerator<{ stream: number; data: Buffer }> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      const end = rest.length < HEADER ? Number.POSITIVE_INFINITY : HEADER + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest.readUInt8(0), data: rest.subarray(HEADER, end) };
      rest = rest.subarray(end);
    }
  }
}

export function outputFile(name: string): string {
  return `/tmp/box/containers/${name}/output`;
}

/** Bytes of output so far: whoever reads from there on sees only what is new. */
export function outputSize(name: string): number {
  return existsSync(outputFile(name)) ? statSync(outputFile(name)).size : 0;
}

/**
 * The file's content from a position, and what is appended until `over` resolves or `signal` fires.
 * The file may be removed meanwhile: an open file can still be read to its last byte.
 */
export async function* follow(
  file: string,
  { from, over, signal }: { from: number; over: Promise<unknown>; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  await using output = await open(file, 'a+');
  const watcher = watch(file);
  let last = false;
  const wake = (): void => {
    last = true;
    watcher.emit('change');
  };
  void over.then(wake);
  signal.addEventListener('abort', wake);
  try {
    for (let at = from; ; ) {
      // Both before the reading: what is appended during it must not go unnoticed.
      const changed = once(watcher, 'change');
      const isLast = last;
      for (;;) {
        const { bytesRead, buffer } = await output.read(Buffer.alloc(PIECE), 0, PIECE, at);
        if (bytesRead === 0 || signal.aborted) break;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (isLast) return;
      await changed;
    }
  } finally {
    signal.removeEventListener('abort', wake);
    watcher.close();
  }
}

/** `box logs`: what a terminal shows of frames is their content. */
export async function printLogs(name: string, further: boolean): Promise<void> {
  const { keeper } = readState(name);
  const pidfd = further && keeper !== undefined ? openProcess(keeper) : undefined;
  const over = pidfd === undefined ? Promise.resolve() : watchExit(pidfd);
  const bytes = follow(outputFile(name), { from: 0, over, signal: new AbortController().signal });
  if (readWanted(name).request.Tty) {
    for await (const piece of bytes) process.stdout.write(piece);
  } else {
    for await (const { stream, data } of frames(bytes))
      (stream === STREAM.stderr ? process.stderr : process.stdout).write(data);
  }
}
