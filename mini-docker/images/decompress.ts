// Decompresses layers (tar, gzip, zstd) and archives for ADD, import and load (also xz and bzip2). The first
// bytes determine the format, as in docker, since media types are unreliable.

import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { bunzip2 } from './bunzip2.ts';
import { ImageError } from './errors.ts';

const CHUNK = 1 << 18;
const MAGIC: readonly [name: Exclude<Compression, 'none'>, bytes: Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['bzip2', Buffer.from('BZh')],
];

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

export const compressionOf = (start: Uint8Array): Compression =>
  MAGIC.find(([, magic]) => magic.equals(start.subarray(0, magic.length)))?.[0] ?? 'none';

type Decompressor = (source: Readable) => AsyncIterable<Uint8Array>;

/** The source's errors also come out of the transform. */
const DECOMPRESSORS: Readonly<Record<Exclude<Compression, 'none'>, Decompressor>> = {
  gzip: source => pipeline(source, createGunzip({ chunkSize: CHUNK }), () => {}),
  zstd: source => pipeline(source, createZstdDecompress({ chunkSize: CHUNK }), () => {}),
  xz: unxz,
  bzip2: bunzip2,
};

/** Uses WebAssembly, with a dictionary of at most 64 MiB. Loaded on demand, which takes 10 ms. */
async function* unxz(source: Readable): AsyncGenerator<Uint8Array> {
  const { default: library } = await import('xz-decompress');
  yield* new library.XzReadableStream(Readable.toWeb(source) as ReadableStream<Uint8Array>);
}

/**
 * The decompressed stream, in chunks. @throws ImageError when it is damaged
 * @param plain refuse compressed data, because the caller relies on the digest of the stream as it is
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
  let failure: unknown;
  const watched = async function* () {
    try {
      yield* startingWith(first, chunks);
    } catch (cause) {
      failure = cause;
      throw cause;
    }
  };
  const whole = Readable.from(watched(), { objectMode: false });
  const compression = compressionOf(first);
  if (plain && compression !== 'none')
    throw new ImageError(
      'the layer is compressed, and its diff id is the digest of that, not of what is in it',
    );
  if (compression === 'none') {
    yield* whole;
    return;
  }
  try {
    for await (const chunk of DECOMPRESSORS[compression](whole)) {
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
  } catch (cause) {
    // An error of the source is not one of the compression.
    if (failure !== undefined) throw failure;
    throw new ImageError(`the ${compression} data is damaged: ${(cause as Error).message}`, { cause });
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
