// Joins this process's standard streams with a hijacked connection: a container's or an exec's.

import { DEFAULT_DETACH_KEYS, decodeDetachKeys, detachScanner } from '../../formats/detach-keys.ts';
import { FormatError } from '../../formats/errors.ts';
import { frameDecoder } from '../../formats/stream-frames.ts';
import type { HttpConnection } from '../daemon/http-connection.ts';
import { CommandError, OUR_FAULT } from '../errors.ts';
import { outputRoom, write, writeError } from '../show/output.ts';

export interface StreamOptions {
  connection: HttpConnection;
  /** One stream and no framing; keys are looked at for the detach sequence. */
  tty: boolean;
  stdin: boolean;
  stdout?: boolean;
  stderr?: boolean;
  detachKeys?: string | undefined;
}

/** 'ended': everything that the program wrote has been written out. */
export type StreamEnd = 'ended' | 'detached';

/** Throws CommandError for keys that cannot be; call it before anything is made. */
export function checkDetachKeys(keys: string | undefined): void {
  if (!keys) return;
  try {
    decodeDetachKeys(keys);
  } catch (cause) {
    throw new CommandError(`invalid detach keys (${keys}): ${(cause as Error).message}`, {
      exitCode: OUR_FAULT,
      cause,
    });
  }
}

/** The user's terminal must be one when the container's is: 'the input device is not a TTY'. */
export function checkTerminal({ tty, stdin }: { tty: boolean; stdin: boolean }): void {
  if (tty && stdin && !process.stdin.isTTY) throw new CommandError('the input device is not a TTY');
}

export async function joinStreams(options: StreamOptions): Promise<StreamEnd> {
  const { connection, tty, stdin } = options;
  if (!stdin) {
    // We send nothing; saying so lets the daemon close its side of the program's input.
    if (!tty) connection.socket.end();
    await copyOutput(options);
    return 'ended';
  }
  const keys = tty ? decodeDetachKeys(options.detachKeys || DEFAULT_DETACH_KEYS) : undefined;
  const input = copyInput(connection, keys);
  try {
    return await Promise.race([copyOutput(options).then(() => 'ended' as const), input.detached]);
  } finally {
    input.stop();
    connection.socket.destroy();
  }
}

async function copyOutput({ connection, tty, stdout = true, stderr = true }: StreamOptions): Promise<void> {
  const decoder = tty ? undefined : frameDecoder();
  for (let chunk = await nextChunk(connection); chunk; chunk = await nextChunk(connection)) {
    const room = outputRoom();
    if (room) await room;
    if (!decoder) {
      write(chunk);
      continue;
    }
    for (const { stream, data } of decoder.push(chunk)) {
      if (stream === 'stderr' && stderr) writeError(data);
      else if (stream === 'stdout' && stdout) write(data);
      else if (stream === 'systemerr') {
        throw new CommandError(`error from daemon in stream: ${Buffer.from(data).toString().trim()}`);
      }
    }
  }
  if (decoder && !decoder.complete) throw new FormatError('the daemon ended in the middle of the output');
}

/** A daemon that closes while we still send resets the connection: that is an end like any other. */
async function nextChunk(connection: HttpConnection): Promise<Buffer | undefined> {
  try {
    return await connection.read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNRESET' || code === 'EPIPE') return undefined;
    throw error;
  }
}

function copyInput(connection: HttpConnection, keys: Uint8Array | undefined) {
  const { stdin } = process;
  const { socket } = connection;
  const scanner = keys && keys.length > 0 ? detachScanner(keys) : undefined;
  const { promise: detached, resolve } = Promise.withResolvers<'detached'>();
  const onData = (chunk: Buffer) => {
    const { pass, detached } = scanner ? scanner.push(chunk) : { pass: chunk, detached: false };
    if (pass.length > 0 && socket.writable && !socket.write(pass)) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
    if (detached) resolve('detached');
  };
  // Half a connection is left: the program reads its end of input, and we its output.
  const onEnd = () => socket.end();
  // `run -i … <&-` has no stdin, and one that cannot be read is at its end.
  stdin.on('data', onData).on('end', onEnd).on('error', onEnd);
  return {
    detached,
    stop() {
      stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
      stdin.pause();
    },
  };
}
