// Sparse files in all four formats (GNU tar manual, "Storing Sparse Files"). A map gives the extents of the file whose
// bytes are stored; the gaps between them are holes.

import { FormatError } from '../errors.ts';
import type { Described } from './described.ts';
import { BLOCK } from './entry.ts';
import type { Parser } from './feed.ts';
import { number } from './header.ts';
import { decodePax, decodePaxInteger, type PaxRecords } from './pax.ts';

export interface Extent {
  position: number;
  size: number;
}

export interface Layout {
  extents: Extent[];
  /** Bytes of all extents. */
  stored: number;
  /** Bytes of the file, holes included. */
  size: number;
}

/** Limit on a map, in bytes. */
const MAP_LIMIT = 1 << 20;

/** @param stored bytes after the header, including a map of holes */
export function* layoutOf({ header, block, records }: Described, stored: number): Parser<Layout> {
  const layout = yield* mapOf({ header, block, records }, stored);
  checkExtents(layout);
  return layout;
}

function* mapOf(
  { header, block, records }: Pick<Described, 'header' | 'block' | 'records'>,
  stored: number,
): Parser<Layout> {
  const size = (key: string) => decodePaxInteger(records.get(key) ?? Buffer.from(''));
  if (header.typeflag === 'S') return yield* gnuMap(block, stored);
  if (records.get('GNU.sparse.major')?.toString('latin1') === '1') {
    return yield* mapBeforeContent(stored, size('GNU.sparse.realsize'));
  }
  const map = records.get('GNU.sparse.map');
  if (map === undefined) return { extents: [{ position: 0, size: stored }], stored, size: stored };
  return { extents: pairs(map.toString('latin1').split(',')), stored, size: size('GNU.sparse.size') };
}

/** The old GNU format: four extents in the header, the others in following blocks of 21 each. */
function* gnuMap(header: Buffer, stored: number): Parser<Layout> {
  const size = number(header, 483, 12);
  const extents = gnuExtents(header, 386, 4);
  for (let more = header[482] === 1; more; ) {
    const block = yield { bytes: BLOCK };
    extents.push(...gnuExtents(block, 0, 21));
    if (extents.length > MAP_LIMIT / 24) throw new FormatError('tar: a map of holes is too large');
    more = block[504] === 1;
  }
  return { extents, stored, size };
}

function gnuExtents(block: Buffer, at: number, count: number): Extent[] {
  return Array.from({ length: count }, (_, index) => at + index * 24)
    .filter(offset => block[offset] !== 0)
    .map(offset => ({ position: number(block, offset, 12), size: number(block, offset + 12, 12) }));
}

/** pax 1.0: the map precedes the content, as lines of decimal numbers, padded to a block. */
function* mapBeforeContent(stored: number, size: number): Parser<Layout> {
  let text = '';
  for (let taken = BLOCK; ; taken += BLOCK) {
    text += (yield { bytes: BLOCK }).toString('latin1');
    const lines = text.split('\n');
    const count = lines.length > 1 ? Number(lines[0]) : 0;
    if (!Number.isInteger(count) || count < 0 || text.length > MAP_LIMIT || taken > stored) {
      throw new FormatError('tar: a map of holes is damaged or too large');
    }
    // The last line is incomplete, or padding.
    if (lines.length > 1 && lines.length - 2 >= 2 * count) {
      return { extents: pairs(lines.slice(1, 1 + 2 * count)), stored: stored - taken, size };
    }
  }
}

/** pax 0.0 repeats two keys for every extent, which a Map of records cannot store: they are joined into 0.1's list. */
export function decodeSparsePax(bytes: Buffer): PaxRecords {
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

function checkExtents({ extents, stored, size: real }: Layout): void {
  let at = 0;
  let sum = 0;
  for (const { position, size } of extents) {
    if (position < at || position + size > real)
      throw new FormatError('tar: a map of holes contradicts itself');
    at = position + size;
    sum += size;
  }
  if (sum !== stored) throw new FormatError('tar: a map of holes does not fit the content');
}
