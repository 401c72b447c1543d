// Packs parts of directories as a tar in a stream, for contexts of builds and for `compose watch`. Node modules that are
// slow to load (file streams, crypto) are avoided: they would take as long as a fully cached build.

import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { decodeName, encodeName } from '../../formats/byte-names.ts';
import { encodeEntry } from '../../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry, type TarType } from '../../formats/tar/entry.ts';
import { CommandError, fileReason } from '../errors.ts';
import { capabilitiesOf } from './capabilities.ts';

export interface PackedTree {
  directory: string;
  /** Whether the file or directory at this path, relative to the directory, goes into the archive. */
  wants(path: string): boolean;
  /** Whether something below a directory may be wanted although the directory itself is not. */
  mayHold(directory: string): boolean;
  /** Its path in the archive; without this, the same path. */
  as?(path: string): string;
  /** The path in the archive of the directory itself, which need not hold anything. */
  root?: string;
}

export interface Packing {
  trees: readonly PackedTree[];
  /** A file that is on no disk. */
  extra?: { name: string; text: Uint8Array };
  /** The start of errors: 'error checking context'. */
  doing: string;
}

const BATCH = 1 << 18;

/**
 * Packs in pieces of about 256 KiB. All files belong to root, as in docker, so a build does not depend on
 * this machine's users.
 */
export async function* packTrees({ trees, extra, doing }: Packing): AsyncGenerator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array) => {
    batch.push(bytes);
    length += bytes.length;
  };
  const flush = () => {
    const bytes = Buffer.concat(batch);
    batch = [];
    length = 0;
    return bytes;
  };
  if (extra !== undefined) {
    const { name: path, text } = extra;
    add(encodeEntry({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: text.length, mtime: 0n }));
    add(text);
    add(new Uint8Array(padding(text.length)));
  }
  for (const { path, from, entry } of walkAll(trees, doing)) {
    const xattrs = entry.type === 'file' ? await capabilitiesOf(from, entry.mode) : undefined;
    add(encodeEntry(xattrs === undefined ? entry : { ...entry, xattrs }));
    if (entry.size > 0) {
      let left = entry.size;
      try {
        for (const chunk of contentOf(from, entry.size)) {
          left -= chunk.length;
          add(chunk);
          if (length >= BATCH) yield flush();
        }
      } catch (cause) {
        throw new CommandError(`${doing}: cannot read ${path}: ${fileReason(cause)}`, {
          cause,
        });
      }
      add(new Uint8Array(left + padding(entry.size)));
    }
    if (length >= BATCH) yield flush();
  }
  add(END_OF_ARCHIVE);
  yield flush();
}

/** Exactly as many bytes as announced, even if the file grows meanwhile; fewer if it has been truncated. */
function* contentOf(path: Buffer, size: number): Generator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    for (let left = size; left > 0; ) {
      const chunk = new Uint8Array(Math.min(left, BATCH));
      const count = readSync(fd, chunk);
      if (count === 0) return;
      left -= count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

interface Found {
  path: string;
  from: Buffer;
  entry: TarEntry;
}

function* walkAll(trees: readonly PackedTree[], doing: string): Generator<Found> {
  for (const tree of trees) yield* walk(tree, doing);
}

function* walk(tree: PackedTree, doing: string): Generator<Found> {
  function* visit(directory: Buffer, prefix: string): Generator<Found> {
    for (const name of names(directory, doing).sort(Buffer.compare)) {
      const path = prefix + decodeName(name);
      const from = Buffer.concat([directory, Buffer.from('/'), name]);
      const wanted = tree.wants(path);
      const inside = wanted || tree.mayHold(path);
      const found = inside ? describe(from, tree.as?.(path) ?? path) : undefined;
      if (found === undefined) continue;
      if (wanted) yield found;
      if (found.entry.type === 'directory' && inside) yield* visit(from, `${path}/`);
    }
  }
  const directory = encodeName(tree.directory);
  const own = tree.root === undefined ? undefined : describe(directory, tree.root);
  if (own !== undefined) yield own;
  yield* visit(directory, '');
}

function names(directory: Buffer, doing: string): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' });
  } catch (cause) {
    throw new CommandError(`${doing}: cannot read ${directory}: ${fileReason(cause)}`, {
      cause,
    });
  }
}

function describe(from: Buffer, path: string): Found | undefined {
  const stats = lstatSync(from, { bigint: true });
  const types: [boolean, TarType][] = [
    [stats.isFile(), 'file'],
    [stats.isDirectory(), 'directory'],
    [stats.isSymbolicLink(), 'symlink'],
    [stats.isFIFO(), 'fifo'],
  ];
  // Sockets and devices cannot be copied into an image.
  const type = types.find(([is]) => is)?.[1];
  if (type === undefined) return undefined;
  const entry: TarEntry = {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: 0,
    gid: 0,
    size: type === 'file' ? Number(stats.size) : 0,
    mtime: stats.mtimeNs,
    ...(type === 'symlink' ? { linkname: decodeName(readlinkSync(from, { encoding: 'buffer' })) } : {}),
  };
  return { path, from, entry };
}
