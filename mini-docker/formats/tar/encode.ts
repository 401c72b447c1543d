// An entry's header: ustar, preceded by a pax header for values that ustar cannot express (long names, names that are not
// ASCII, large numbers, fractions of seconds, extended attributes). The same entry always gives the same bytes.

import { encodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';
import { BLOCK, padding, type TarEntry, TYPE_FLAGS } from './entry.ts';
import { sumOf } from './header.ts';
import { encodePax, encodePaxTime, type PaxRecords, xattrKey } from './pax.ts';

const NAME = 100;
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;
const SECOND = 1_000_000_000n;

/** The blocks before the entry's content. The caller writes the content, followed by `padding(size)` zeros. */
export function encodeEntry(entry: TarEntry): Buffer {
  const records: PaxRecords = new Map();
  const path = encodeName(entry.type === 'directory' ? `${entry.path}/` : entry.path);
  const link = encodeName(entry.linkname ?? '');
  if (path.includes(0) || link.includes(0)) throw new FormatError('tar: a name has a NUL in it');
  const split = isAscii(path) ? splitPath(path) : undefined;
  if (split === undefined) records.set('path', path);
  if (link.length > NAME || !isAscii(link)) records.set('linkpath', link);
  if (entry.size > MAX_SIZE) records.set('size', Buffer.from(String(entry.size)));
  if (entry.uid > MAX_ID) records.set('uid', Buffer.from(String(entry.uid)));
  if (entry.gid > MAX_ID) records.set('gid', Buffer.from(String(entry.gid)));
  const seconds = entry.mtime / SECOND;
  const isPlainTime = entry.mtime >= 0n && entry.mtime % SECOND === 0n && seconds <= BigInt(MAX_SIZE);
  if (!isPlainTime) records.set('mtime', encodePaxTime(entry.mtime));
  for (const [name, value] of [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    records.set(xattrKey(name), Buffer.from(value));
  }

  const header = block({
    ...(split ?? { name: path.subarray(0, NAME), prefix: Buffer.alloc(0) }),
    link: link.subarray(0, NAME),
    typeflag: TYPE_FLAGS[entry.type],
    mode: entry.mode,
    uid: entry.uid > MAX_ID ? 0 : entry.uid,
    gid: entry.gid > MAX_ID ? 0 : entry.gid,
    size: entry.size > MAX_SIZE ? 0 : entry.size,
    mtime: isPlainTime ? Number(seconds) : 0,
    major: entry.major ?? 0,
    minor: entry.minor ?? 0,
  });
  if (records.size === 0) return header;
  const body = encodePax(records);
  const pax = block({
    name: Buffer.from('PaxHeaders/x'),
    prefix: Buffer.alloc(0),
    link: Buffer.alloc(0),
    typeflag: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
    major: 0,
    minor: 0,
  });
  return Buffer.concat([pax, body, Buffer.alloc(padding(body.length)), header]);
}

const isAscii = (bytes: Buffer): boolean => bytes.every(byte => byte < 0x80);

/** Splits a path at a slash: ustar has 155 bytes for the part before it, and 100 for the name after it. */
function splitPath(path: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (path.length <= NAME) return { name: path, prefix: Buffer.alloc(0) };
  const slash = path.indexOf(0x2f, path.length - NAME - 1);
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.subarray(slash + 1), prefix: path.subarray(0, slash) };
}

interface Block {
  name: Buffer;
  prefix: Buffer;
  link: Buffer;
  typeflag: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
}

function block(fields: Block): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) => {
    bytes.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  };
  bytes.set(fields.name, 0);
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.size, 124, 12);
  octal(fields.mtime, 136, 12);
  bytes.write(fields.typeflag, 156, 'latin1');
  bytes.set(fields.link, 157);
  bytes.write('ustar\x0000', 257, 'latin1');
  octal(fields.major, 329, 8);
  octal(fields.minor, 337, 8);
  bytes.set(fields.prefix, 345);
  bytes.write(`${sumOf(bytes).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
