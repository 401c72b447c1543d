// The daemon's ends of a container's streams.
import type { Readable, Writable } from 'node:stream';
import { readableOf, writableOf } from '../linux/pipes.ts';
import { PtyStream } from '../linux/pty.ts';
import type { Streams } from './container.ts';

export interface StreamDescriptors {
  stdin?: number | undefined;
  stdout?: number | undefined;
  stderr?: number | undefined;
  /** The pty's master, in place of the others. */
  terminal?: number | undefined;
}

export interface OpenStreams extends Streams {
  close(): void;
}

/**
 * Takes the descriptors over. Errors of writing (EPIPE: the program reads no more) end the stream silently.
 * @param inputEnded called when standard input has been written to its end
 */
export function openStreams(descriptors: StreamDescriptors, inputEnded?: () => void): OpenStreams {
  if (descriptors.terminal !== undefined) {
    const terminal = new PtyStream(descriptors.terminal);
    terminal.on('error', ignore);
    return { stdin: terminal, stdout: terminal, close: () => terminal.destroy() };
  }
  const stdin = descriptors.stdin === undefined ? undefined : writableOf(descriptors.stdin);
  const stdout = descriptors.stdout === undefined ? undefined : readableOf(descriptors.stdout);
  const stderr = descriptors.stderr === undefined ? undefined : readableOf(descriptors.stderr);
  const all: (Readable | Writable | undefined)[] = [stdin, stdout, stderr];
  for (const stream of all) stream?.on('error', ignore);
  stdin?.once('close', () => inputEnded?.());
  stdin?.once('finish', () => stdin.destroy());
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    close: () => {
      for (const stream of all) stream?.destroy();
    },
  };
}

function ignore(): void {}
