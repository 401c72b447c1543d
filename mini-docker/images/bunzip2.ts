// Unpacks bzip2, block by block. The library's own stream keeps a block as a list of numbers, and has no back
// pressure.
import { createRequire } from 'node:module';

interface Bits {
  (count: number | null): number;
  bytesRead: number;
}

interface Library {
  /** The level, 1 to 9. */
  header(bits: Bits): number;
  /** Writes a block's bytes and returns the checksum so far; null at the end of the stream. */
  decompress(
    bits: Bits,
    push: (byte: number) => void,
    work: Int32Array,
    size: number,
    checksum: number | null,
  ): number | null;
}

/** Bytes of a compressed block: at most this many for each 100,000 of the level, plus a constant. */
const COMPRESSED = [100_000, 25_000] as const;
const LEVEL = 100_000;

/** Consecutive streams count as one. @throws Error when the data is damaged */
export async function* bunzip2(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const require = createRequire(import.meta.url);
  const bitIterator = require('unbzip2-stream/lib/bit_iterator') as (next: () => Uint8Array) => Bits;
  const bzip2 = require('unbzip2-stream/lib/bzip2') as Library;
  const chunks = source[Symbol.asyncIterator]();
  const queue: Uint8Array[] = [];
  let received = 0;
  let ended = false;
  let level = 0;
  let checksum: number | null = null;
  let block = Buffer.allocUnsafe(1 << 20);
  let length = 0;
  const push = (byte: number) => {
    if (length === block.length) block = Buffer.concat([block], length * 2);
    block[length++] = byte;
  };
  async function fill(wanted: number): Promise<void> {
    while (!ended && received < wanted) {
      const next = await chunks.next();
      if (next.done) ended = true;
      else if (next.value.length > 0) {
        queue.push(next.value);
        received += next.value.length;
      }
    }
  }
  try {
    await fill(1);
    const bits = bitIterator(() => {
      const next = queue.shift();
      if (next === undefined) throw new Error('it ends in the middle of a block');
      return next;
    });
    const work = new Int32Array(9 * LEVEL);
    for (;;) {
      await fill(bits.bytesRead + COMPRESSED[0] * (level || 1) + COMPRESSED[1]);
      if (received <= bits.bytesRead) break;
      if (level === 0) {
        level = bzip2.header(bits);
        checksum = 0;
        continue;
      }
      length = 0;
      checksum = bzip2.decompress(bits, push, work, level * LEVEL, checksum);
      if (checksum === null) level = 0;
      else yield Buffer.from(block.subarray(0, length));
    }
    if (level !== 0) throw new Error('it ends before its checksum');
  } finally {
    await chunks.return?.();
  }
}
