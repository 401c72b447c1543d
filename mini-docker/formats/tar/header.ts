// One 512-byte block of a tar archive (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").

import { decodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';
import { BLOCK } from './entry.ts';

export interface TarHeader {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  /** Size in bytes of the content after the header. */
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  typeflag: string;
  linkname: string;
  major: number;
  minor: number;
  dialect: 'v7' | 'ustar' | 'gnu';
}

/** Decodes a header; undefined for a block of zeros. @throws FormatError when the block is not a header */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  if (block[0] === 0 && block.every(byte => byte === 0)) return undefined;
  checkSum(block);
  const magic = block.toString('latin1', 257, 265);
  const dialect = magic === 'ustar  \0' ? 'gnu' : magic.startsWith('ustar\0') ? 'ustar' : 'v7';
  const name = text(block, 0, 100);
  // In the bytes of the POSIX prefix, GNU tar stores times and its map of holes.
  const prefix = dialect === 'ustar' ? text(block, 345, 155) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: size(block, 124),
    mtime: number(block, 136, 12),
    typeflag: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    linkname: text(block, 157, 100),
    major: dialect === 'v7' ? 0 : number(block, 329, 8),
    minor: dialect === 'v7' ? 0 : number(block, 337, 8),
    dialect,
  };
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return decodeName(block.subarray(at, end < 0 || end > at + length ? at + length : end));
}

function size(block: Buffer, at: number): number {
  const value = number(block, at, 12);
  if (value < 0) throw new FormatError('tar: a header has a negative size');
  return value;
}

/** Octal digits, or GNU's and star's extension: the first bit set, and a big-endian two's complement number. */
export function number(block: Buffer, at: number, length: number): number {
  const first = block[at]!;
  if (first & 0x80) {
    let value = first & 0x40 ? BigInt(first & 0x7f) - 0x80n : BigInt(first & 0x7f);
    for (let i = at + 1; i < at + length; i++) value = (value << 8n) | BigInt(block[i]!);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw new FormatError('tar: a header has a number that is too large');
    }
    return Number(value);
  }
  let value = 0;
  for (let i = at; i < at + length; i++) {
    const byte = block[i]!;
    if (byte === 0x20 && value === 0) continue;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37)
      throw new FormatError('not a tar archive, or a damaged one: a header has a field that is no number');
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

/** The sum of the block's bytes, in which the checksum's own eight count as spaces. */
export function sumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < 148; i++) sum += block[i]!;
  for (let i = 156; i < BLOCK; i++) sum += block[i]!;
  return sum;
}

function checkSum(block: Buffer): void {
  const wanted = number(block, 148, 8);
  if (wanted === sumOf(block)) return;
  // Old tars of Sun summed the bytes as signed numbers.
  let signed = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) signed += block.readInt8(i);
  if (wanted !== signed)
    throw new FormatError('not a tar archive, or a damaged one: a header has a wrong checksum');
}
