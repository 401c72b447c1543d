// Unpacks a tar of a container's files on this machine. The archive is a stranger's: it may try to leave the
// directory by `..`, by absolute names, or through a symbolic link that it has made before.

import { constants, lstatSync, mkdirSync } from 'node:fs';
import { lchown, link, lutimes, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Header } from 'tar-stream';
import { CommandError } from '../errors.ts';
import { printError } from '../show/output.ts';

export interface UnpackOptions {
  into: string;
  /** The name of an entry on this machine, relative to `into`. */
  nameOf(entry: string): string;
  /** With the archive's uid and gid (`cp -a`); else ours. */
  owners: boolean;
}

/** Rejects with CommandError when the archive would write elsewhere, or when the disk does not take it. */
export async function unpack(tar: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<void> {
  // Here and not above: the bundle would load it for every command.
  const archive = (await import('tar-stream')).extract();
  const feeding = pipeline(tar, archive as unknown as Writable);
  feeding.catch(() => {});
  // Directories get their times last: what is put into them changes these.
  const directories: { path: string; header: Header }[] = [];
  for await (const entry of archive) {
    const { header } = entry;
    const path = place(options.into, options.nameOf(header.name));
    await make(path, header, entry as unknown as AsyncIterable<Uint8Array>, options);
    if (header.type === 'directory') directories.push({ path, header });
    entry.resume();
  }
  await feeding;
  for (const { path, header } of directories.reverse()) await describeDirectory(path, header, options);
}

/** A later entry may have put a symbolic link in its place, which must lead nobody to what it points at. */
async function describeDirectory(path: string, header: Header, options: UnpackOptions): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const directory = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR' || error.code === 'ELOOP' || error.code === 'ENOENT') return undefined;
    throw error;
  });
  await directory?.chmod(modeOf(header, options));
  await directory?.utimes(header.mtime, header.mtime);
  await directory?.close();
}

/** What belongs to us from here on must not run as us for everybody: as cp(1) without -p. */
function modeOf({ mode }: Header, { owners }: UnpackOptions): number {
  return owners ? mode & 0o7777 : mode & 0o1777;
}

/** The path of an entry; its parents are directories and no links. */
function place(into: string, name: string): string {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0'))
    throw new CommandError(`refusing to copy ${JSON.stringify(name)}: it leaves the destination`);
  let path = into;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory())
      throw new CommandError(`refusing to copy through ${path}: it is not a directory`);
    if (!stat) mkdirSync(path);
  }
  return parts.length === 0 ? into : join(path, parts.at(-1)!);
}

async function make(
  path: string,
  header: Header,
  content: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
) {
  const old = lstatSync(path, { throwIfNoEntry: false });
  if (header.type === 'directory') {
    if (old && !old.isDirectory())
      throw new CommandError(`cannot overwrite non-directory "${path}" with directory "${options.into}"`);
    if (!old) await mkdir(path);
    if (options.owners) await lchown(path, header.uid, header.gid);
    return;
  }
  if (old?.isDirectory())
    throw new CommandError(`cannot overwrite directory "${path}" with non-directory "${options.into}"`);
  if (old) await rm(path);

  if (header.type === 'symlink') {
    await symlink(header.linkname, path);
    if (options.owners) await lchown(path, header.uid, header.gid);
    await lutimes(path, header.mtime, header.mtime);
    return;
  }
  if (header.type === 'link') {
    await link(place(options.into, options.nameOf(header.linkname)), path);
    return;
  }
  if (header.type !== 'file' && header.type !== 'contiguous-file') {
    printError(`mini-docker: left out ${path}: it is a ${header.type}`);
    return;
  }
  // O_EXCL follows no link that somebody may have put there just now.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  for await (const chunk of content) await file.writeFile(chunk);
  if (options.owners) await file.chown(header.uid, header.gid);
  await file.chmod(modeOf(header, options));
  await file.utimes(header.mtime, header.mtime);
  await file.close();
}
