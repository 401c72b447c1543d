// The daemon's ends of a container's streams.
import type { Readable } from 'node:stream';
import { Descriptor } from '../linux/descriptor.ts';
import { readableOf, writableOf } from '../linux/pipes.ts';
import { resizePty, type TerminalSize } from '../linux/pty.ts';
import { PtyStream } from '../linux/pty-stream.ts';
import type { Streams } from './container.ts';

export interface StreamDescriptors {
  stdin?: Descriptor | undefined;
  stdout?: Descriptor | undefined;
  stderr?: Descriptor | undefined;
  /** The pty's master, instead of the other descriptors. */
  terminal?: Descriptor | undefined;
}

/** Takes ownership of the descriptors. */
export function own(numbers: Record<string, number | undefined>): StreamDescriptors {
  const given = Object.entries(numbers).filter(([, number]) => number !== undefined);
  return Object.fromEntries(given.map(([name, number]) => [name, new Descriptor(number!)]));
}

export function closeAll(descriptors: StreamDescriptors): void {
  for (const each of Object.values(descriptors)) each?.close();
}

export interface OpenStreams extends Streams {
  resize(size: TerminalSize): void;
  close(): void;
}

/**
 * Takes ownership of the descriptors. A write error (EPIPE: the program no longer reads) ends the stream
 * silently. Reading begins at the first access to `stdout` or `stderr`: until then the caller may read the
 * descriptors itself.
 * @param inputEnded called when all of standard input has been written
 */
export function openStreams(descriptors: StreamDescriptors, inputEnded?: () => void): OpenStreams {
  const { terminal } = descriptors;
  if (terminal !== undefined) {
    // The stream closes its descriptor when writing fails, while the terminal is still read and resized
    // through the other.
    const stream = new PtyStream(terminal.duplicate().release());
    stream.on('error', ignore);
    return {
      stdin: stream,
      stdout: stream,
      resize: size => {
        if (terminal.isOpen) resizePty(terminal.number, size);
      },
      close() {
        stream.destroy();
        terminal.close();
      },
    };
  }
  const stdin = descriptors.stdin === undefined ? undefined : writableOf(descriptors.stdin.release());
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
    resize: () => {},
    close: () => {
      stdin?.destroy();
      stdout.close();
      stderr.close();
    },
  };
}

function lazyReadable(descriptor: Descriptor | undefined): { open(): Readable | undefined; close(): void } {
  let stream: Readable | undefined;
  return {
    open() {
      if (descriptor?.isOpen) stream = readableOf(descriptor.release()).on('error', ignore);
      return stream;
    },
    close() {
      stream?.destroy();
      descriptor?.close();
    },
  };
}

function ignore(): void {}
