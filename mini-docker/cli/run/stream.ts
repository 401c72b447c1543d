// Connects this process's standard streams with the hijacked connection of a container or an exec.

import { DEFAULT_DETACH_KEYS, decodeDetachKeys, detachScanner } from '../../formats/detach-keys.ts';
import { FormatError } from '../../formats/errors.ts';
import { frameDecoder } from '../../formats/stream-frames.ts';
import type { HttpConnection } from '../daemon/http-connection.ts';
import { beforeProgram, CommandError } from '../errors.ts';
import { outputRoom, write, writeError } from '../show/output.ts';

export interface StreamOptions {
  connection: HttpConnection;
  /** Whether there is a terminal: one unframed stream, whose keys are searched for the detach sequence. */
  tty: boolean;
  stdin: boolean;
  stdout?: boolean;
  stderr?: boolean;
  detachKeys?: string | undefined;
}

/** 'ended': all of the program's output has been written. */
export type StreamEnd = 'ended' | 'detached';

/** Call it before anything is created. @throws CommandError when the keys are invalid */
export function checkDetachKeys(keys: string | undefined): void {
  if (!keys) return;
  try {
    decodeDetachKeys(keys);
  } catch (cause) {
    throw beforeProgram(`invalid detach keys (${keys}): ${(cause as Error).message}`, cause);
  }
}

/** The user's terminal must be one when the container's is: 'the input device is not a TTY'. */
export function checkTerminal({ tty, stdin }: { tty: boolean; stdin: boolean }): void {
  if (tty && stdin && !process.stdin.isTTY) throw new CommandError('the input device is not a TTY');
}

export async function joinStreams(options: StreamOptions): Promise<StreamEnd> {
  const { connection, tty, stdin } = options;
  if (!stdin) {
    // No input will be sent; closing the direction lets the daemon close the program's input.
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

/**
 * A daemon that closes while input is still being sent resets the connection: that counts as an ordinary end.
 */
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
  // The connection is half closed: the program reads the end of its input, and its output is still received.
  const onEnd = () => socket.end();
  // `run -i … <&-` has no stdin, and an unreadable one counts as ended.
  stdin.on('data', onData).on('end', onEnd).on('error', onEnd);
  return {
    detached,
    stop() {
      stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
      stdin.pause();
    },
  };
}
