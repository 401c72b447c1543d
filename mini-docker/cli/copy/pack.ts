// Packs files of this machine as a tar stream for a container.

import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeName, encodeName, fsPath } from '../../formats/byte-names.ts';
import { encodeEntry } from '../../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from '../../formats/tar/entry.ts';
import { printError } from '../show/output.ts';
import { capabilitiesOf } from './capabilities.ts';

export interface PackOptions {
  path: string;
  /** Name of the topmost entry; undefined leaves it out and packs the directory's content. */
  name: string | undefined;
  /** Follow the path itself when it is a symbolic link. Links below it are copied as links. */
  follow: boolean;
}

/** The archive's iteration rejects when a file cannot be read. */
export async function* pack({ path, name, follow }: PackOptions): AsyncGenerator<Uint8Array> {
  const stats = await (follow ? stat : lstat)(fsPath(path));
  yield* packed({ from: path, to: name ?? '', stats, hardLinks: new Map() });
  yield END_OF_ARCHIVE;
}

interface Packed {
  from: string;
  to: string;
  stats: Stats;
  /** Archive names of files with several links, by device and inode. */
  hardLinks: Map<string, string>;
}

async function* packed({ from, to, stats, hardLinks }: Packed): AsyncGenerator<Uint8Array> {
  const entry = await entryOf(from, to, stats);
  if (entry === undefined) {
    printError(`mini-docker: left out ${from}: it is a socket or a device`);
    return;
  }
  const inode = `${stats.dev}:${stats.ino}`;
  const first = entry.type === 'file' && stats.nlink > 1 ? hardLinks.get(inode) : undefined;
  if (first !== undefined) {
    yield encodeEntry({ ...entry, type: 'hardlink', size: 0, linkname: first });
    return;
  }
  if (to !== '') yield encodeEntry(entry);
  if (entry.type === 'file') {
    hardLinks.set(inode, to);
    yield* contentOf(from, entry.size);
  }
  if (entry.type !== 'directory') return;
  for (const name of (await readdir(fsPath(from), { encoding: 'buffer' })).sort(Buffer.compare)) {
    const each = decodeName(name);
    const below = join(from, each);
    yield* packed({
      from: below,
      to: to === '' ? each : `${to}/${each}`,
      stats: await lstat(fsPath(below)),
      hardLinks,
    });
  }
}

/** Exactly as many bytes as the header says, even if the file grows meanwhile. */
async function* contentOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  if (size > 0) {
    for await (const chunk of createReadStream(fsPath(path), { end: size - 1 })) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  if (left > 0) throw new Error(`${path} became shorter while it was read`);
  yield new Uint8Array(padding(size));
}

async function entryOf(path: string, name: string, stats: Stats): Promise<TarEntry | undefined> {
  const { uid, gid } = stats;
  const mtime = BigInt(Math.round(stats.mtimeMs * 1000)) * 1000n;
  const entry = { path: name, mode: stats.mode & 0o7777, uid, gid, size: 0, mtime };
  if (stats.isDirectory()) return { ...entry, type: 'directory' };
  if (stats.isFile()) {
    const xattrs = await capabilitiesOf(encodeName(path), entry.mode);
    return { ...entry, type: 'file', size: stats.size, ...(xattrs === undefined ? {} : { xattrs }) };
  }
  if (stats.isSymbolicLink())
    return {
      ...entry,
      type: 'symlink',
      linkname: decodeName(await readlink(encodeName(path), { encoding: 'buffer' })),
    };
  if (stats.isFIFO()) return { ...entry, type: 'fifo' };
  return undefined;
}
