// Writes a stream of pieces to a client, no faster than the client reads.

import type { Writable } from 'node:stream';
import type { Call } from './router.ts';

/** Writes all pieces and ends. When the client disconnects, it leaves the loop, which releases the source. */
export async function pump<T>(
  source: AsyncIterable<T>,
  out: Writable,
  encode: (item: T) => string | Uint8Array,
): Promise<void> {
  for await (const item of source) {
    if (out.destroyed) return;
    if (!out.write(encode(item))) await drained(out);
  }
  out.end();
}

/** Resolves when more can be written, or when the client has disconnected. */
export function drained(out: Writable): Promise<void> {
  if (out.destroyed || !out.writableNeedDrain) return Promise.resolve();
  return new Promise(resolve => {
    const settle = () => {
      out.off('drain', settle);
      out.off('close', settle);
      resolve();
    };
    out.once('drain', settle);
    out.once('close', settle);
  });
}

export async function sendTar(
  call: Pick<Call, 'stream'>,
  tar: AsyncIterable<Uint8Array>,
  headers: Record<string, string> = {},
): Promise<undefined> {
  await pump(tar, call.stream({ 'Content-Type': 'application/x-tar', ...headers }), bytes => bytes);
}

/** Sends JSON documents, a line each, as they come. */
export async function sendJson(
  call: Pick<Call, 'stream'>,
  items: AsyncIterable<unknown>,
): Promise<undefined> {
  await pump(items, call.stream({ 'Content-Type': 'application/json' }), jsonLine);
}

export const jsonLine = (item: unknown): string => `${JSON.stringify(item)}\n`;
