// Carries bytes between a client's hijacked connection and a program's streams.

import type { Readable, Writable } from 'node:stream';
import type { Attachment } from '../engine/core/engine.ts';
import { detachScanner } from '../formats/detach-keys.ts';
import { encodeFrame } from '../formats/stream-frames.ts';
import { drained } from './pump.ts';
import type { Hijacked } from './router.ts';

/** Content type of a connection that carries several streams, which its frames tell apart. */
const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';
export const RAW_STREAM = 'application/vnd.docker.raw-stream';

/** Clients before 1.42 know only the one type, and ask the container for the framing. */
export function streamType(options: { tty: boolean; version: number }): string {
  return !options.tty && options.version >= 42 ? MULTIPLEXED : RAW_STREAM;
}

/**
 * Resolves when the program has exited or the client has left; the connection is then closed too. Never
 * rejects.
 */
export async function carry(options: {
  attachment: Attachment;
  connection: Hijacked;
  /** Keys that detach when they are typed in sequence, with a terminal. */
  detachKeys: Uint8Array;
  /** Whether each piece is preceded by the name of its stream; without a terminal, unless given. */
  framed?: boolean;
}): Promise<void> {
  const { attachment, connection, detachKeys, framed = !options.attachment.tty } = options;
  const { input, output } = connection;
  // A client that only stops sending is still there; one that cannot be written to is not.
  const left = () => attachment.detach();
  output.once('close', left);
  if (output.destroyed) left();
  const over = Promise.withResolvers<void>();
  void carryInput({ input, attachment, detachKeys, over: over.promise });
  try {
    await carryOutput({ output, attachment, framed });
  } catch (error) {
    // A stream without frames has no place for an error: the client just sees the connection end.
    if (framed) output.write(encodeFrame('systemerr', Buffer.from((error as Error).message)));
  }
  over.resolve();
  output.off('close', left);
  connection.close();
}

async function carryOutput({
  output,
  attachment,
  framed,
}: {
  output: Writable;
  attachment: Attachment;
  framed: boolean;
}): Promise<void> {
  for await (const { stream, data } of attachment.output) {
    if (output.destroyed) break;
    if (!output.write(framed ? encodeFrame(stream, data) : data)) await drained(output);
  }
}

/**
 * Reads the input to the end in any case: after the program has exited it is discarded, so that the
 * connection can close.
 */
async function carryInput(options: {
  input: Readable;
  attachment: Attachment;
  detachKeys: Uint8Array;
  over: Promise<void>;
}): Promise<void> {
  const { input, attachment, detachKeys, over } = options;
  const scanner = attachment.tty ? detachScanner(detachKeys) : undefined;
  let wanted = true;
  void over.then(() => {
    wanted = false;
  });
  try {
    for await (const typed of input.iterator({ destroyOnReturn: false })) {
      if (!wanted) continue;
      const { pass, detached } = scanner?.push(typed) ?? { pass: typed, detached: false };
      if (pass.length > 0) {
        // A program that no longer reads must not block a client that writes.
        const written = attachment.write(pass).catch(() => {
          wanted = false;
        });
        await Promise.race([written, over]);
      }
      if (detached) {
        wanted = false;
        attachment.detach();
      }
    }
    if (wanted) attachment.endInput();
  } catch {
    attachment.detach();
  }
}
