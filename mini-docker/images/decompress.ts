// Layers come as tar, gzip or zstd. The first bytes tell which, as they do for docker: media types are not to be relied on.

import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ImageError } from './errors.ts';

const CHUNK = 1 << 18;
const MAGIC: readonly [name: string, bytes: Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['bzip2', Buffer.from('BZh')],
];

export type Compression = 'none' | 'gzip' | 'zstd';

/** Throws ImageError for forms that we cannot read. */
export function compressionOf(start: Uint8Array): Compression {
  const found = MAGIC.find(([, magic]) => magic.equals(start.subarray(0, magic.length)))?.[0] ?? 'none';
  if (found === 'none' || found === 'gzip' || found === 'zstd') return found;
  throw new ImageError(`${found} compression is not supported: unpack it with ${found} -d first`);
}

/**
 * What is in the stream when it is unpacked, in chunks. A damaged stream throws ImageError.
 * @param plain it must not be compressed: who calls relies on a digest of it as it is
 */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  plain = false,
): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < 6) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  const whole = Readable.from(startingWith(first, chunks), { objectMode: false });
  const compression = compressionOf(first);
  if (plain && compression !== 'none')
    throw new ImageError(
      'the layer is compressed, and its diff id is the digest of that, not of what is in it',
    );
  if (compression === 'none') {
    yield* whole;
    return;
  }
  const transform =
    compression === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK });
  try {
    // Errors of the source come out of the transform too.
    yield* pipeline(whole, transform, () => {});
  } catch (cause) {
    if (cause instanceof Error && /^(?:Z_|ZSTD_)/.test(String((cause as NodeJS.ErrnoException).code))) {
      throw new ImageError(`the ${compression} data is damaged: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  try {
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
