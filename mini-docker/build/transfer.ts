// Files from one tree to another, and what they are made of as a digest. Both go by the archive that pack() makes of
// them, which never is anywhere but in memory, piece by piece.
import type { Hash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync } from 'node:fs';
import { posix } from 'node:path';
import type { TarEntry } from '../formats/tar/entry.ts';
import { createTarReader } from '../formats/tar/reader.ts';
import { pack } from '../images/pack.ts';
import { createUnpacker } from '../images/unpack.ts';
import { makeDirectoriesInRoot } from '../linux/in-root.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import { BuildError } from './errors.ts';
import { isDirectory, type Located, openDirectoryOf, pathArg } from './sources.ts';

/** How files are changed on their way. */
export interface Alterations {
  owner?: { uid: number; gid: number } | undefined;
  /** Permission bits of all files and directories. */
  mode?: number;
  /** Leaves out a path of the source, and what is below it. */
  skip?(path: string): boolean;
}

/** The files: of a directory those in it, each by its path there; else the one file under the name `as`. */
async function* archiveOf(
  source: Located,
  { as, skip }: Alterations & { as: string },
): AsyncGenerator<Buffer> {
  if (!isDirectory(source)) {
    yield* pack({ fd: source.directory, only: { name: source.name, as }, whiteouts: false });
    return;
  }
  // One of its own: reading a directory moves its position.
  const fd = openDirectoryOf(source);
  try {
    yield* pack({ fd, whiteouts: false, ...(skip === undefined ? {} : { skip }) });
  } finally {
    closeSync(fd);
  }
}

const altered = (entry: TarEntry, { owner, mode }: Alterations): TarEntry => ({
  ...entry,
  ...owner,
  ...(mode !== undefined && (entry.type === 'file' || entry.type === 'directory') ? { mode } : {}),
});

/** Content, names, kinds, modes, owners and attributes; not times. */
export async function hashFiles(
  source: Located,
  options: Alterations & { as: string; hash: Hash },
): Promise<void> {
  const { hash } = options;
  const reader = createTarReader({
    entry(given) {
      const { mtime: _, xattrs, ...entry } = altered(given, options);
      const attributes = [...(xattrs ?? [])].map(([name, value]) => [
        name,
        Buffer.from(value).toString('base64'),
      ]);
      hash.update(JSON.stringify([entry, attributes]));
    },
    data: bytes => void hash.update(bytes),
    end: () => {},
  });
  for await (const chunk of archiveOf(source, options)) reader.write(chunk);
}

/** Writes them below the directory `base` of the tree `root`. Throws ImageError. */
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

/** Makes a directory, and those above it, that are not there yet: also where dangling links lead to. Throws BuildError. */
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
