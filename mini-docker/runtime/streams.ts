// The daemon's ends of a container's streams.
import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
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
 * Takes the descriptors over. Errors of writing (EPIPE: the program reads no more) end the stream silently. Reading
 * begins when `stdout` or `stderr` is asked for: until then the descriptors can be read by somebody else.
 * @param inputEnded called when standard input has been written to its end
 */
export function openStreams(descriptors: StreamDescriptors, inputEnded?: () => void): OpenStreams {
  if (descriptors.terminal !== undefined) {
    const terminal = new PtyStream(descriptors.terminal);
    terminal.on('error', ignore);
    return { stdin: terminal, stdout: terminal, close: () => terminal.destroy() };
  }
  const stdin = descriptors.stdin === undefined ? undefined : writableOf(descriptors.stdin);
  stdin?.on('error', ignore);
  stdin?.once('close', () => inputEnded?.());
  stdin?.once('finish', () => stdin.destroy());
  const stdout = lazyReadable(descriptors.stdout);
  const stderr = lazyReadable(descriptors.stderr);
  return {
    ...(stdin && { stdin }),
    get stdout() {
      return stdout.open()!;
    },
    get stderr() {
      return stderr.open()!;
    },
    close: () => {
      stdin?.destroy();
      stdout.close();
      stderr.close();
    },
  };
}

function lazyReadable(fd: number | undefined): { open(): Readable | undefined; close(): void } {
  let stream: Readable | undefined;
  let closed = false;
  return {
    open() {
      if (stream === undefined && fd !== undefined && !closed) stream = readableOf(fd).on('error', ignore);
      return stream;
    },
    close() {
      if (stream !== undefined) stream.destroy();
      else if (fd !== undefined && !closed) closeSync(fd);
      closed = true;
    },
  };
}

function ignore(): void {}
