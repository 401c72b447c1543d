// A tar archive taken apart as it arrives: ustar, pax and GNU headers, and sparse files in all four ways to write them.

import { decodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';
import { BLOCK, padding, type TarEntry, type TarType, TYPE_FLAGS } from './entry.ts';
import { decodeHeader, number, type TarHeader } from './header.ts';
import { decodePax, decodePaxInteger, decodePaxTime, type PaxRecords } from './pax.ts';

export interface TarConsumer {
  entry(entry: TarEntry): void;
  /** Bytes of the entry's content and where in the file they stand. What lies between is a hole. */
  data(bytes: Buffer, position: number): void;
  /** The entry's content is complete. */
  end(): void;
}

export interface TarReader {
  /** Calls the consumer for all that is complete; `bytes` are not kept when it returns. Throws FormatError. */
  write(bytes: Uint8Array): void;
  /** Throws FormatError when the archive stops in the middle of an entry. */
  finish(): void;
}

interface Extent {
  position: number;
  size: number;
}

/** What a header in front of a header may take. Larger ones have no honest use, and are kept in memory. */
const META_LIMIT = 1 << 20;
const TYPES = new Map<string, TarType>([
  ...Object.entries(TYPE_FLAGS).map(([type, flag]): [string, TarType] => [flag, type as TarType]),
  // A contiguous file; and a GNU sparse file, whose map of holes makes it an ordinary one.
  ['7', 'file'],
  ['S', 'file'],
]);

export function createTarReader(consumer: TarConsumer): TarReader {
  /** What is collected until it is whole: a header, a meta entry's content, a map of holes. */
  let wanted = BLOCK;
  let collected: Buffer[] = [];
  let have = 0;
  let whenWhole: (bytes: Buffer) => void = header;
  /** While content streams through. */
  let streaming = false;
  let extents: Extent[] = [];
  let extent = 0;
  let within = 0;
  /** What is left of its padding. */
  let skip = 0;
  let ended = false;

  let pax: PaxRecords = new Map();
  const globals: PaxRecords = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;

  function collect(bytes: number, then: (bytes: Buffer) => void): void {
    wanted = bytes;
    whenWhole = then;
  }

  function header(block: Buffer): void {
    const decoded = decodeHeader(block);
    collect(BLOCK, header);
    if (decoded === undefined) {
      // One block of zeros ends it for us as it does for GNU tar and Go; the second, and what follows, is skipped.
      ended = true;
      return;
    }
    const { typeflag } = decoded;
    if ('xgLK'.includes(typeflag)) meta(decoded);
    else startEntry(decoded, block);
  }

  function meta({ typeflag, size }: TarHeader): void {
    if (size > META_LIMIT) throw new FormatError(`tar: a header of ${size} bytes is too large`);
    collect(size + padding(size), padded => {
      const bytes = Buffer.from(padded.subarray(0, size));
      if (typeflag === 'x') pax = decodeSparsePax(bytes);
      else if (typeflag === 'g') for (const [key, value] of decodePax(bytes)) globals.set(key, value);
      else {
        const end = bytes.indexOf(0);
        const name = decodeName(end < 0 ? bytes : bytes.subarray(0, end));
        if (typeflag === 'L') longName = name;
        else longLink = name;
      }
      collect(BLOCK, header);
    });
    if (wanted === 0) flushCollected();
  }

  function startEntry(decoded: TarHeader, block: Buffer): void {
    const records = globals.size > 0 ? new Map([...globals, ...pax]) : pax;
    const entry = entryOf(decoded, records, longName, longLink);
    const stored = entry.type === 'file' ? integerOr(records, 'size', decoded.size) : 0;
    pax = new Map();
    longName = undefined;
    longLink = undefined;
    const begin = (map: Extent[], content: number, real: number) => {
      checkExtents(map, content, real);
      entry.size = real;
      consumer.entry(entry);
      extents = map.filter(each => each.size > 0);
      extent = 0;
      within = 0;
      skip = padding(content);
      streaming = true;
      collect(BLOCK, header);
      if (extents.length === 0) endEntry();
    };
    const map = records.get('GNU.sparse.map');
    if (decoded.typeflag === 'S') gnuSparse(block, stored, begin);
    else if (records.get('GNU.sparse.major')?.toString('latin1') === '1') {
      const real = decodePaxInteger(records.get('GNU.sparse.realsize') ?? Buffer.from(''));
      paxSparseMap(stored, real, begin);
    } else if (map !== undefined) {
      const real = decodePaxInteger(records.get('GNU.sparse.size') ?? Buffer.from(''));
      begin(pairs(map.toString('latin1').split(',')), stored, real);
    } else begin([{ position: 0, size: stored }], stored, stored);
  }

  /** Old GNU: four extents in the header, and as many blocks of 21 more as it takes. */
  function gnuSparse(
    block: Buffer,
    stored: number,
    begin: (map: Extent[], content: number, real: number) => void,
  ): void {
    const map: Extent[] = [];
    const real = number(block, 483, 12);
    const take = (from: Buffer, at: number, count: number) => {
      for (let i = 0; i < count; i++) {
        const position = number(from, at + i * 24, 12);
        const size = number(from, at + i * 24 + 12, 12);
        if (from[at + i * 24] !== 0) map.push({ position, size });
      }
    };
    take(block, 386, 4);
    const more = (next: Buffer) => {
      take(next, 0, 21);
      if (map.length > META_LIMIT / 24) throw new FormatError('tar: a map of holes is too large');
      if (next[504] === 1) collect(BLOCK, more);
      else begin(map, stored, real);
    };
    if (block[482] === 1) collect(BLOCK, more);
    else begin(map, stored, real);
  }

  /** pax 1.0: the map stands before the content, as lines of decimal numbers, padded to a block. */
  function paxSparseMap(
    stored: number,
    real: number,
    begin: (map: Extent[], content: number, real: number) => void,
  ): void {
    let text = '';
    let taken = 0;
    const more = (block: Buffer) => {
      text += block.toString('latin1');
      taken += BLOCK;
      const lines = text.split('\n');
      const count = lines.length > 1 ? Number(lines[0]) : 0;
      if (!Number.isInteger(count) || count < 0 || text.length > META_LIMIT || taken > stored) {
        throw new FormatError('tar: a map of holes is damaged or too large');
      }
      // The last line is cut off, or zeros.
      if (lines.length > 1 && lines.length - 2 >= 2 * count) {
        begin(pairs(lines.slice(1, 1 + 2 * count)), stored - taken, real);
      } else collect(BLOCK, more);
    };
    collect(BLOCK, more);
  }

  function endEntry(): void {
    streaming = false;
    consumer.end();
  }

  /** Content. Returns how many bytes it took. */
  function stream(bytes: Buffer): number {
    const current = extents[extent]!;
    const take = Math.min(current.size - within, bytes.length);
    consumer.data(bytes.subarray(0, take), current.position + within);
    within += take;
    if (within === current.size) {
      extent++;
      within = 0;
      if (extent === extents.length) endEntry();
    }
    return take;
  }

  /** The padding up to the next block. Docker's client leaves it out behind the last entry of a build context. */
  function pass(bytes: Buffer): number {
    const take = Math.min(skip, bytes.length);
    skip -= take;
    return take;
  }

  function flushCollected(): void {
    const bytes = collected.length === 1 ? collected[0]! : Buffer.concat(collected);
    collected = [];
    have = 0;
    whenWhole(bytes);
  }

  return {
    write(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      for (let at = 0; at < bytes.length && !ended; ) {
        if (streaming) {
          at += stream(bytes.subarray(at));
          continue;
        }
        if (skip > 0) {
          at += pass(bytes.subarray(at));
          continue;
        }
        const take = Math.min(wanted - have, bytes.length - at);
        const piece = bytes.subarray(at, at + take);
        at += take;
        have += take;
        // What is whole is used up at once; only a remainder must outlive the caller's buffer.
        collected.push(have === wanted ? piece : Buffer.from(piece));
        if (have === wanted) flushCollected();
      }
    },
    finish() {
      if (streaming || have > 0 || (whenWhole !== header && !ended)) {
        throw new FormatError('the tar archive ends in the middle of an entry');
      }
    },
  };
}

function integerOr(records: PaxRecords, key: string, otherwise: number): number {
  const value = records.get(key);
  return value === undefined ? otherwise : decodePaxInteger(value);
}

function entryOf(
  header: TarHeader,
  records: PaxRecords,
  longName: string | undefined,
  longLink: string | undefined,
): TarEntry {
  const name = (key: string) => {
    const value = records.get(key);
    return value === undefined ? undefined : decodeName(value);
  };
  const path = name('GNU.sparse.name') ?? name('path') ?? longName ?? header.name;
  const linkname = name('linkpath') ?? longLink ?? header.linkname;
  if (path.includes('\0') || linkname.includes('\0')) throw new FormatError('tar: a name has a NUL in it');
  let type = TYPES.get(header.typeflag);
  if (type === undefined) {
    throw new FormatError(
      `tar: ${JSON.stringify(path)} is of an unknown type (${JSON.stringify(header.typeflag)})`,
    );
  }
  // Before POSIX, a directory was a file whose name ends in a slash.
  if (type === 'file' && path.endsWith('/')) type = 'directory';
  const mtime = records.get('mtime');
  const xattrs = xattrsOf(records);
  return {
    path: path.replace(/\/+$/, '') || (path.startsWith('/') ? '/' : path),
    type,
    mode: header.mode,
    uid: integerOr(records, 'uid', header.uid),
    gid: integerOr(records, 'gid', header.gid),
    size: 0,
    mtime: mtime === undefined ? BigInt(header.mtime) * 1_000_000_000n : decodePaxTime(mtime),
    ...(type === 'symlink' || type === 'hardlink' ? { linkname } : {}),
    ...(type === 'character' || type === 'block' ? { major: header.major, minor: header.minor } : {}),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  };
}

const XATTR = 'SCHILY.xattr.';

function xattrsOf(records: PaxRecords): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
  }
  return xattrs;
}

/** pax 0.0 repeats two keys for every extent, which a map of records cannot hold: they become 0.1's single list. */
function decodeSparsePax(bytes: Buffer): PaxRecords {
  const records = decodePax(bytes);
  if (!records.has('GNU.sparse.offset')) return records;
  const numbers = [...bytes.toString('latin1').matchAll(/ GNU\.sparse\.(?:offset|numbytes)=(\d+)\n/g)];
  records.set('GNU.sparse.map', Buffer.from(numbers.map(match => match[1]).join(',')));
  return records;
}

function pairs(numbers: string[]): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    extents.push({
      position: decodePaxInteger(Buffer.from(numbers[i]!)),
      size: decodePaxInteger(Buffer.from(numbers[i + 1]!)),
    });
  }
  return extents;
}

function checkExtents(map: Extent[], content: number, real: number): void {
  let at = 0;
  let sum = 0;
  for (const { position, size } of map) {
    if (position < at || position + size > real)
      throw new FormatError('tar: a map of holes contradicts itself');
    at = position + size;
    sum += size;
  }
  if (sum !== content) throw new FormatError('tar: a map of holes does not fit the content');
}
