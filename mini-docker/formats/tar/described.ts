// A file's description, which may take several headers: pax records and GNU's long names precede the header that they
// correct.

import { decodeName } from '../byte-names.ts';
import { FormatError } from '../errors.ts';
import { type TarEntry, type TarType, TYPE_FLAGS } from './entry.ts';
import type { TarHeader } from './header.ts';
import { decodePaxInteger, decodePaxTime, type PaxRecords, xattrOfKey } from './pax.ts';

export interface Described {
  header: TarHeader;
  /** The header as it came. */
  block: Buffer;
  records: PaxRecords;
  longName: string | undefined;
  longLink: string | undefined;
}

const TYPES = new Map<string, TarType>([
  ...Object.entries(TYPE_FLAGS).map(([type, flag]): [string, TarType] => [flag, type as TarType]),
  // '7' is a contiguous file; 'S' is a GNU sparse file, which is an ordinary file once its holes are known.
  ['7', 'file'],
  ['S', 'file'],
]);

export function integerOr(records: PaxRecords, key: string, otherwise: number): number {
  const value = records.get(key);
  return value === undefined ? otherwise : decodePaxInteger(value);
}

/** The description without the size, which may depend on a map of holes (sparse.ts). */
export function entryOf({ header, records, longName, longLink }: Described): TarEntry {
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

function xattrsOf(records: PaxRecords): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    const name = xattrOfKey(key);
    if (name?.includes('\0')) throw new FormatError('tar: the name of an attribute has a NUL in it');
    if (name !== undefined) xattrs.set(name, value);
  }
  return xattrs;
}
