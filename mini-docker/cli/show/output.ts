// Writes output. Node writes to files and terminals immediately; data for a full pipe is kept in memory.

import { visible } from '../../formats/visible.ts';

const SIGPIPE_EXIT = 128 + 13;

let watching = false;

function writeTo(stream: NodeJS.WriteStream, data: string | Uint8Array): void {
  if (!watching) {
    watching = true;
    // `mini-docker logs x | head`: the reader has closed the pipe; exit like a program that dies of SIGPIPE.
    process.stdout.on('error', () => process.exit(SIGPIPE_EXIT));
    process.stderr.on('error', () => process.exit(SIGPIPE_EXIT));
  }
  stream.write(data);
}

/** Writes the data unchanged, without a newline. */
export const write = (data: string | Uint8Array): void => writeTo(process.stdout, data);
export const writeError = (data: string | Uint8Array): void => writeTo(process.stderr, data);
export const print = (line: string): void => writeTo(process.stdout, `${line}\n`);
/** The line may contain text from a daemon, a registry or an image, so control characters are escaped. */
export const printError = (line: string): void => writeTo(process.stderr, `${visible(line, '\n\t')}\n`);
/** The result of a user's template: unchanged for a program that reads it, escaped on a terminal. */
export const writeFormatted = (text: string): void =>
  writeTo(process.stdout, process.stdout.isTTY ? visible(text, '\n\t') : text);

/**
 * undefined when more may be written, else a promise for that time: code that copies a stream waits for it,
 * so that a slow reader slows the daemon down instead of filling the command's memory.
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

/** Settles when the kernel has taken all output; exiting earlier loses data for a full pipe. */
export async function outputWritten(): Promise<void> {
  if (!watching) return;
  const unwritten = [process.stdout, process.stderr].filter(stream => stream.writableLength > 0);
  await Promise.all(unwritten.map(stream => new Promise(resolve => stream.write('', resolve))));
}
