// What is printed. Node writes to files and terminals at once; of a pipe that is full it keeps the rest in memory.

import { visible } from '../../formats/visible.ts';

const SIGPIPE_EXIT = 128 + 13;

let watching = false;

function writeTo(stream: NodeJS.WriteStream, data: string | Uint8Array): void {
  if (!watching) {
    watching = true;
    // `mini-docker logs x | head`: the reader has gone; end as a program does that SIGPIPE ends.
    process.stdout.on('error', () => process.exit(SIGPIPE_EXIT));
    process.stderr.on('error', () => process.exit(SIGPIPE_EXIT));
  }
  stream.write(data);
}

/** As it is, without a newline. */
export const write = (data: string | Uint8Array): void => writeTo(process.stdout, data);
export const writeError = (data: string | Uint8Array): void => writeTo(process.stderr, data);
export const print = (line: string): void => writeTo(process.stdout, `${line}\n`);
/** What others have said may be in it: a daemon, a registry, an image. */
export const printError = (line: string): void => writeTo(process.stderr, `${visible(line, '\n\t')}\n`);
/** What the user's own template has made of others' texts: as it is for a program that reads it, and shown to a person. */
export const writeFormatted = (text: string): void =>
  writeTo(process.stdout, process.stdout.isTTY ? visible(text, '\n\t') : text);

/**
 * undefined when more may be written, else a promise for when that is so: who copies a stream waits for it, so that a
 * slow reader slows the daemon down instead of filling our memory.
 */
export function outputRoom(): Promise<void> | undefined {
  const full = [process.stdout, process.stderr].filter(stream => stream.writableNeedDrain);
  if (full.length === 0) return undefined;
  return Promise.all(full.map(stream => new Promise(resolve => stream.once('drain', resolve)))).then(
    () => {},
  );
}

export async function copyToOutput(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    await outputRoom();
    write(chunk);
  }
}

/** Settles when everything has been handed to the kernel; exiting before loses what a full pipe has not taken. */
export async function outputWritten(): Promise<void> {
  if (!watching) return;
  const unwritten = [process.stdout, process.stderr].filter(stream => stream.writableLength > 0);
  await Promise.all(unwritten.map(stream => new Promise(resolve => stream.write('', resolve))));
}
