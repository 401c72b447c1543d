// Copies files from one tree to another, and computes a digest of them. Both use the archive that pack()
// produces, which exists only in memory, piece by piece.

import type { Hash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync } from 'node:fs';
import { posix } from 'node:path';
import { pathArg } from '../formats/byte-names.ts';
import type { TarEntry } from '../formats/tar/entry.ts';
import { createTarReader } from '../formats/tar/reader.ts';
import { pack } from '../images/pack.ts';
import { createUnpacker } from '../images/unpack.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { makeDirectoriesInRoot } from '../linux/in-root.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import { BuildError } from './errors.ts';
import { isDirectory, type Located, openDirectoryOf } from './sources.ts';

/** Changes made to files as they are copied. */
export interface Alterations {
  owner?: { uid: number; gid: number } | undefined;
  /** Permission bits for all files and directories. */
  mode?: number;
  /** Leaves out a path of the source, and everything below it. */
  skip?(path: string): boolean;
}

/** An archive of a directory's files, each by its path there; or of one file, under the name `as`. */
async function* archiveOf(
  source: Located,
  { as, skip }: Alterations & { as: string },
): AsyncGenerator<Buffer> {
  if (!isDirectory(source)) {
    yield* pack({ fd: source.directory, only: { name: source.name, as }, whiteouts: false });
    return;
  }
  // A separate descriptor, because reading a directory moves its position.
  using directory = new Descriptor(openDirectoryOf(source));
  yield* pack({ fd: directory.number, whiteouts: false, ...(skip === undefined ? {} : { skip }) });
}

const altered = (entry: TarEntry, { owner, mode }: Alterations): TarEntry => ({
  ...entry,
  ...owner,
  ...(mode !== undefined && (entry.type === 'file' || entry.type === 'directory') ? { mode } : {}),
});

/** Digest of the contents, names, types, modes, owners and attributes, but not of the times. */
export async function hashFiles(
  source: Located,
  options: Alterations & { as: string; hash: Hash },
): Promise<void> {
  await hashEntries(archiveOf(source, options), { hash: options.hash, as: entry => altered(entry, options) });
}

/** The same of an archive. */
export async function hashEntries(
  tar: AsyncIterable<Uint8Array>,
  { hash, as = entry => entry }: { hash: Hash; as?: (entry: TarEntry) => TarEntry },
): Promise<void> {
  const reader = createTarReader({
    entry(given) {
      const { mtime: _, xattrs, ...entry } = as(given);
      const attributes = [...(xattrs ?? [])].map(([name, value]) => [
        name,
        Buffer.from(value).toString('base64'),
      ]);
      hash.update(JSON.stringify([entry, attributes]));
    },
    data: bytes => void hash.update(bytes),
    end: () => {},
  });
  for await (const chunk of tar) reader.write(chunk);
}

/** Writes the files below the directory `base` of the tree `root`. @throws ImageError */
export async function copyFiles(
  source: Located,
  options: Alterations & { as: string; root: number; base: string; limit: number },
): Promise<void> {
  const { root, base, limit } = options;
  const unpacker = createUnpacker({ rootFd: root, base, whiteouts: false, limit, keepKinds: true });
  try {
    const reader = createTarReader({
      entry: entry => unpacker.entry(altered(entry, options)),
      data: (bytes, position) => unpacker.data(bytes, position),
      end: () => unpacker.end(),
    });
    for await (const chunk of archiveOf(source, options)) reader.write(chunk);
    reader.finish();
    unpacker.finish();
  } finally {
    unpacker.close();
  }
}

/** Creates a directory and its missing parents, even at the targets of dangling links. @throws BuildError */
export function makeDirectories(root: number, path: string, { owner, mode }: Alterations = {}): void {
  const describe = (fd: number) => {
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode ?? 0o755);
  };
  try {
    closeSync(makeDirectoriesInRoot(root, pathArg(path), describe));
  } catch (cause) {
    if (!(cause instanceof SyscallError) || !['ENOTDIR', 'ELOOP'].includes(cause.code)) throw cause;
    throw new BuildError(`cannot make the directory ${posix.join('/', path)}: not a directory`, { cause });
  }
}
