// Unpacks a tar of a container's files on this machine. The archive is not trusted: it may try to leave the
// directory by `..`, by absolute names, or through a symbolic link that it made before.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fsPath } from '../../formats/byte-names.ts';
import type { TarEntry } from '../../formats/tar/entry.ts';
import { createTarReader } from '../../formats/tar/reader.ts';
import { CommandError } from '../errors.ts';
import { printError } from '../show/output.ts';

export interface UnpackOptions {
  into: string;
  /** The path of an entry on this machine, relative to `into`. */
  nameOf(entry: string): string;
  /** Keep the archive's uid and gid (`cp -a`); else files belong to the user. */
  owners: boolean;
}

/** @throws CommandError when the archive would write elsewhere, or the disk refuses */
export async function unpack(tar: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<void> {
  // Directories get their times last, since unpacking into them changes these.
  const directories: { path: string; entry: TarEntry }[] = [];
  let file: { descriptor: number; entry: TarEntry } | undefined;
  const reader = createTarReader({
    entry(entry) {
      const path = place(options.into, options.nameOf(entry.path));
      if (entry.type === 'directory') directories.push({ path, entry });
      const descriptor = make(path, entry, options);
      file = descriptor === undefined ? undefined : { descriptor, entry };
    },
    data(bytes, position) {
      if (file === undefined) return;
      for (let done = 0; done < bytes.length; )
        done += writeSync(file.descriptor, bytes, done, bytes.length - done, position + done);
    },
    end() {
      if (file === undefined) return;
      describe(file.descriptor, file.entry, options);
      file = undefined;
    },
  });
  try {
    for await (const chunk of tar) reader.write(chunk);
    reader.finish();
  } finally {
    if (file !== undefined) closeSync(file.descriptor);
  }
  for (const { path, entry } of directories.reverse()) describeDirectory(path, entry, options);
}

/** Sets owner, mode and times of an open file, and closes it. */
function describe(descriptor: number, entry: TarEntry, options: UnpackOptions): void {
  try {
    // A hole at the end of a sparse file has no data, so the size is set explicitly.
    if (entry.type === 'file') ftruncateSync(descriptor, entry.size);
    if (options.owners) fchownSync(descriptor, entry.uid, entry.gid);
    fchmodSync(descriptor, modeOf(entry, options));
    futimesSync(descriptor, timeOf(entry), timeOf(entry));
  } finally {
    closeSync(descriptor);
  }
}

/** A later entry may have replaced it by a symbolic link, whose target must stay unchanged. */
function describeDirectory(path: string, entry: TarEntry, options: UnpackOptions): void {
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (['ENOTDIR', 'ELOOP', 'ENOENT'].includes((error as NodeJS.ErrnoException).code!)) return;
    throw error;
  }
  describe(descriptor, entry, options);
}

/** Seconds since 1970. */
const timeOf = ({ mtime }: TarEntry): number => Number(mtime) / 1e9;

/**
 * A file that now belongs to the user must not run with the user's rights for others: like cp(1) without -p.
 */
function modeOf({ mode }: TarEntry, { owners }: UnpackOptions): number {
  return owners ? mode & 0o7777 : mode & 0o1777;
}

/** The path of an entry, after checking that its parents are directories and not links. */
function place(into: string, name: string): string {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0'))
    throw new CommandError(`refusing to copy ${JSON.stringify(name)}: it leaves the destination`);
  let path = into;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
    if (stat && !stat.isDirectory())
      throw new CommandError(`refusing to copy through ${path}: it is not a directory`);
    if (!stat) mkdirSync(fsPath(path));
  }
  return parts.length === 0 ? into : join(path, parts.at(-1)!);
}

/** @returns the descriptor of a file, to which its content is written next */
function make(path: string, entry: TarEntry, options: UnpackOptions): number | undefined {
  const old = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (entry.type === 'directory') {
    if (old && !old.isDirectory())
      throw new CommandError(`cannot overwrite non-directory "${path}" with directory "${options.into}"`);
    if (!old) mkdirSync(fsPath(path));
    if (options.owners) lchownSync(fsPath(path), entry.uid, entry.gid);
    return undefined;
  }
  if (old?.isDirectory())
    throw new CommandError(`cannot overwrite directory "${path}" with non-directory "${options.into}"`);
  if (old) unlinkSync(fsPath(path));

  if (entry.type === 'symlink') {
    symlinkSync(fsPath(entry.linkname ?? ''), fsPath(path));
    if (options.owners) lchownSync(fsPath(path), entry.uid, entry.gid);
    lutimesSync(fsPath(path), timeOf(entry), timeOf(entry));
  } else if (entry.type === 'hardlink') {
    linkSync(fsPath(place(options.into, options.nameOf(entry.linkname ?? ''))), fsPath(path));
  } else if (entry.type === 'file') {
    // O_EXCL does not follow a link that was placed there in the meantime.
    return openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } else printError(`mini-docker: left out ${path}: it is a ${entry.type}`);
  return undefined;
}
