// pax records: 'LENGTH key=value\n', where LENGTH includes its own digits (POSIX pax, "pax Extended Header"). Values are
// bytes: SCHILY.xattr.security.capability is binary, and may contain newlines.

import { decodeName, encodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';

export type PaxRecords = Map<string, Buffer>;

export function decodePax(bytes: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  for (let at = 0; at < bytes.length; ) {
    // Some writers pad with zeros.
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 || space - at > 10 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    const isRecord =
      Number.isInteger(length) &&
      end <= bytes.length &&
      equals > space &&
      equals < end &&
      bytes[end - 1] === 0x0a;
    if (!isRecord) throw new FormatError('tar: a pax header is damaged');
    records.set(decodeName(bytes.subarray(space + 1, equals)), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function encodePax(records: PaxRecords): Buffer {
  return Buffer.concat([...records].map(([key, value]) => encodeRecord(key, value)));
}

function encodeRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(' '), encodeName(key), Buffer.from('='), value, Buffer.from('\n')]);
  let length = rest.length;
  // The length includes its own digits.
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** '1700000000.123456789' → nanoseconds. Digits after the ninth are cut off. */
export function decodePaxTime(value: Buffer): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(value.toString('latin1'));
  if (!match) throw new FormatError(`tar: not a time: ${JSON.stringify(value.toString('latin1', 0, 40))}`);
  const nanoseconds =
    BigInt(match[2]!) * 1_000_000_000n + BigInt((match[3] ?? '').padEnd(9, '0').slice(0, 9));
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

export function encodePaxTime(nanoseconds: bigint): Buffer {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = (magnitude % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = `${nanoseconds < 0n ? '-' : ''}${magnitude / 1_000_000_000n}`;
  return Buffer.from(fraction === '' ? whole : `${whole}.${fraction}`);
}

export function decodePaxInteger(value: Buffer): number {
  const text = value.toString('latin1');
  const integer = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(integer))
    throw new FormatError(`tar: not a number: ${JSON.stringify(text.slice(0, 40))}`);
  return integer;
}

const XATTR = 'SCHILY.xattr.';

/**
 * The key of an extended attribute's record. A key ends at the first '=', so GNU tar writes '=' in a name as %3D, and '%' as %25.
 * Only names that need it are written that way, since other programs do not read it.
 */
export const xattrKey = (name: string): string =>
  XATTR + (/=|%3D|%25/.test(name) ? name.replace(/[=%]/g, byte => (byte === '=' ? '%3D' : '%25')) : name);

/** The attribute that a record is about; undefined for records of other kinds. */
export const xattrOfKey = (key: string): string | undefined =>
  key.startsWith(XATTR)
    ? key.slice(XATTR.length).replace(/%3D|%25/g, code => (code === '%3D' ? '=' : '%'))
    : undefined;
