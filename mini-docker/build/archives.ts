// Archives in a build's context, which ADD unpacks.

import { createReadStream } from 'node:fs';
import { BLOCK } from '../formats/tar/entry.ts';
import { decodeHeader } from '../formats/tar/header.ts';
import { compressionOf, decompressed } from '../images/decompress.ts';
import { ImageError } from '../images/errors.ts';
import { BuildError } from './errors.ts';
import { type Located, openFileOf } from './sources.ts';

export const readFile = (located: Located): AsyncIterable<Uint8Array> =>
  createReadStream('', { fd: openFileOf(located), highWaterMark: 1 << 18 });

/** Whether the file is a tar archive, plain or compressed. @throws BuildError when it cannot be read */
export async function archiveIn(located: Located, name: string): Promise<boolean> {
  const start = await first(readFile(located), BLOCK);
  try {
    if (compressionOf(start) === 'none') return isTar(start);
    return isTar(await first(decompressed(readFile(located)), BLOCK));
  } catch (cause) {
    if (!(cause instanceof ImageError)) throw cause;
    // Damaged, or compressed in an unsupported form. Unless its name says otherwise, the file is not an
    // archive.
    if (!/\.(?:tar\.\w+|tgz|txz|tbz2?|tzst)$/i.test(name)) return false;
    throw new BuildError(`ADD failed: ${name}: ${cause.message}`, { cause });
  }
}

function isTar(block: Buffer): boolean {
  if (block.length < BLOCK || !block.some(byte => byte !== 0)) return false;
  try {
    return decodeHeader(block) !== undefined;
  } catch {
    return false;
  }
}

async function first(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  let found = Buffer.alloc(0);
  for await (const chunk of chunks) {
    found = Buffer.concat([found, chunk]);
    if (found.length >= length) break;
  }
  return found.subarray(0, length);
}
