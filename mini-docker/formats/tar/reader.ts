// Reads a tar archive as its bytes arrive: ustar, pax and GNU headers.

import { decodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';
import { type Described, entryOf, integerOr } from './described.ts';
import { BLOCK, padding, type TarEntry } from './entry.ts';
import { Feed, type Parser } from './feed.ts';
import { decodeHeader, type TarHeader } from './header.ts';
import { decodePax, type PaxRecords } from './pax.ts';
import { decodeSparsePax, type Layout, layoutOf } from './sparse.ts';

export interface TarConsumer {
  entry(entry: TarEntry): void;
  /** Receives bytes of the entry's content and their position in the file. Gaps between them are holes. */
  data(bytes: Buffer, position: number): void;
  /** The entry's content is complete. */
  end(): void;
}

export interface TarReader {
  /**
   * Passes complete parts to the consumer; `bytes` are not kept.
   * @throws FormatError when the archive is not valid
   */
  write(bytes: Uint8Array): void;
  /** @throws FormatError when the archive stops in the middle of an entry */
  finish(): void;
}

/** Limit in bytes on a header before a header, which is kept in memory. Honest archives have no larger ones. */
const META_LIMIT = 1 << 20;

export function createTarReader(consumer: TarConsumer): TarReader {
  const feed = new Feed(archive(consumer));
  return {
    write: bytes => feed.write(bytes),
    finish() {
      if (!feed.mayEnd) throw new FormatError('the tar archive ends in the middle of an entry');
    },
  };
}

function* archive(consumer: TarConsumer): Parser<void> {
  const globals: PaxRecords = new Map();
  for (;;) {
    const described = yield* headers(globals);
    if (described === undefined) return;
    const { header, records } = described;
    const entry = entryOf(described);
    const stored = entry.type === 'file' ? integerOr(records, 'size', header.size) : 0;
    const layout = yield* layoutOf(described, stored);
    consumer.entry({ ...entry, size: layout.size });
    yield* content(consumer, layout);
  }
}

/** Reads a header and those that precede it; undefined at the end of the archive. */
function* headers(globals: PaxRecords): Parser<Described | undefined> {
  let pax: PaxRecords = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;
  for (;;) {
    const block = yield { bytes: BLOCK, optional: true };
    const header = decodeHeader(block);
    // A block of zeros ends the archive, as for GNU tar and Go. A second one may be missing, but not cut; everything
    // after it is skipped.
    if (header === undefined) {
      yield { bytes: BLOCK, optional: true };
      return undefined;
    }
    if (header.typeflag === 'x') pax = decodeSparsePax(yield* meta(header));
    else if (header.typeflag === 'g') {
      for (const [key, value] of decodePax(yield* meta(header))) globals.set(key, value);
    } else if (header.typeflag === 'L') longName = cutOff(yield* meta(header));
    else if (header.typeflag === 'K') longLink = cutOff(yield* meta(header));
    else return { header, block, records: new Map([...globals, ...pax]), longName, longLink };
  }
}

/** The content of a header that precedes another header. */
function* meta({ size }: TarHeader): Parser<Buffer> {
  if (size > META_LIMIT) throw new FormatError(`tar: a header of ${size} bytes is too large`);
  const padded = yield { bytes: size + padding(size) };
  return Buffer.from(padded.subarray(0, size));
}

function cutOff(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}

function* content(consumer: TarConsumer, { extents, stored }: Layout): Parser<void> {
  for (const { position, size } of extents) {
    for (let done = 0; done < size; ) {
      const bytes = yield { bytes: size - done, partial: true };
      consumer.data(bytes, position + done);
      done += bytes.length;
    }
  }
  consumer.end();
  // Docker's client omits the padding after the last entry of a build context.
  for (let left = padding(stored); left > 0; ) {
    left -= (yield { bytes: left, partial: true, optional: true }).length;
  }
}
