// Writing what comes bit by bit to a client, no faster than the client takes it.

import type { Writable } from 'node:stream';

/** Writes and ends. When the client goes, the loop is left, which gives the source back. */
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

/** Resolves when more can be written, or nothing any more. */
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

export const jsonLine = (item: unknown): string => `${JSON.stringify(item)}\n`;
