// Unpacks each kind of entry. Every file is created anew, by descriptor, never through an existing one.

import { chmodSync } from 'node:fs';
import { pathArg } from '../../formats/byte-names.ts';
import type { TarEntry } from '../../formats/tar/entry.ts';
import { call } from '../../linux/call.ts';
import { AT, O, S_IF } from '../../linux/constants.ts';
import { isWhiteout, statusAt } from '../../linux/directory.ts';
import { ERRNO } from '../../linux/errno.ts';
import { openInRoot, setTimes, withFd } from '../../linux/in-root.ts';
import { knownOwner } from '../../linux/own-user-namespace.ts';
import { removeTreeAt } from '../../linux/remove-tree.ts';
import { mayFail } from '../../linux/step.ts';
import {
  fchmod,
  fchown,
  fchownat,
  fsetxattr,
  linkat,
  mkdirat,
  mknodat,
  openat,
  symlinkat,
} from '../../linux/syscalls.ts';
import { ImageError } from '../errors.ts';
import { splitLast } from './paths.ts';
import { markOpaque, NEW_DIRECTORY, OPEN_DIRECTORY, type Tree } from './tree.ts';

/**
 * Attributes that a layer may set: overlayfs interprets trusted.overlay.*, and security modules their own.
 */
const ALLOWED_XATTR = /^(?:user\.(?!overlay\.)|security\.capability$)/;

/** Owner first, since chown(2) clears setuid, setgid, and a file's capabilities. */
export function describeFile(fd: number, entry: TarEntry): void {
  const { uid, gid } = knownOwner(entry);
  call(fchown(fd, uid, gid));
  call(fchmod(fd, entry.mode));
  for (const [name, value] of entry.xattrs ?? []) {
    // A filesystem without attributes (ENOTSUP) is no reason to refuse an image.
    if (ALLOWED_XATTR.test(name)) call(mayFail(fsetxattr(fd, pathArg(name), value, 0), 'EOPNOTSUPP'));
  }
}

/** Its times are set at the very end (unpack.ts), because every file made in it changes them. */
export function makeDirectory(tree: Tree, entry: TarEntry, path: string): void {
  const place = tree.place(path);
  const name = pathArg(place.name);
  let opaque = false;
  if (tree.create(mayFail(mkdirat(place.fd, name, NEW_DIRECTORY), 'EEXIST')) === -ERRNO.EEXIST) {
    const status = statusAt(place.fd, name);
    opaque = tree.whiteouts && status !== undefined && isWhiteout(status);
    if (status === undefined || (status.mode & S_IF.MT) !== S_IF.DIR) {
      if (tree.keepKinds)
        throw new ImageError(`cannot overwrite ${JSON.stringify(place.name)} with a directory`);
      removeTreeAt(place.fd, name);
      tree.create(mkdirat(place.fd, name, NEW_DIRECTORY));
    }
  }
  withFd(call(openat(place.fd, name, OPEN_DIRECTORY, 0)), fd => {
    if (opaque) markOpaque(fd);
    describeFile(fd, entry);
  });
}

/** @returns a descriptor for its content; owner and mode are set when that is complete (content.ts) */
export function makeFile(tree: Tree, path: string): number {
  const place = tree.place(path);
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  return tree.make(place, openat(place.fd, pathArg(place.name), flags, 0o600));
}

export function makeSymlink(tree: Tree, entry: TarEntry, path: string): void {
  const place = tree.place(path);
  const name = pathArg(place.name);
  tree.make(place, symlinkat(pathArg(entry.linkname ?? ''), place.fd, name));
  const { uid, gid } = knownOwner(entry);
  call(fchownat(place.fd, name, uid, gid, AT.SYMLINK_NOFOLLOW));
  setTimes(place.fd, name, entry.mtime, AT.SYMLINK_NOFOLLOW);
}

/** @param target path from the tree's root, like `path` */
export function makeHardLink(
  tree: Tree,
  entry: TarEntry,
  { path, target }: { path: string; target: string },
): void {
  const { directory, name } = splitLast(target);
  if (name === '') throw new ImageError(`the archive links ${JSON.stringify(path)} to a directory`);
  if (target === path) return;
  let from: number;
  try {
    from = openInRoot(tree.rootFd, pathArg(directory), O.PATH | O.DIRECTORY);
  } catch (cause) {
    throw noTarget(entry, cause);
  }
  withFd(from, fd => {
    const status = statusAt(fd, pathArg(name));
    if (status === undefined) throw noTarget(entry);
    if ((status.mode & S_IF.MT) === S_IF.DIR) {
      throw new ImageError(`the archive links ${JSON.stringify(path)} to a directory`);
    }
    // A second name for a whiteout would hide a file that the archive does not name.
    if (tree.whiteouts && isWhiteout(status)) throw noTarget(entry);
    const place = tree.place(path);
    tree.make(place, linkat(fd, pathArg(name), place.fd, pathArg(place.name), 0));
  });
}

/** Makes a device or a FIFO. */
export function makeNode(tree: Tree, entry: TarEntry, path: string): void {
  const { major = 0, minor = 0 } = entry;
  if (tree.whiteouts && entry.type === 'character' && major === 0 && minor === 0) {
    throw new ImageError(
      `the archive is not safe: ${JSON.stringify(path)} is a forged whiteout (device 0:0)`,
    );
  }
  const type = { character: S_IF.CHR, block: S_IF.BLK, fifo: S_IF.IFO }[entry.type as 'character'];
  const place = tree.place(path);
  const name = pathArg(place.name);
  tree.make(place, mknodat(place.fd, name, type | 0o600, deviceNumber(major, minor)));
  withFd(call(openat(place.fd, name, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0)), fd => {
    const { uid, gid } = knownOwner(entry);
    call(fchownat(fd, '', uid, gid, AT.EMPTY_PATH));
    // fchmod(2) does not accept O_PATH descriptors; the magic link leads to this very inode.
    chmodSync(`/proc/self/fd/${fd}`, entry.mode);
  });
  setTimes(place.fd, name, entry.mtime, AT.SYMLINK_NOFOLLOW);
}

const noTarget = (entry: TarEntry, cause?: unknown): ImageError =>
  new ImageError(
    `the archive links ${JSON.stringify(entry.path)} to ${JSON.stringify(entry.linkname)}, which is not there`,
    { cause },
  );

/** The kernel's 32-bit form of a device number, as in makedev(3). */
const deviceNumber = (major: number, minor: number): number =>
  ((major & 0xfff) * 0x100 + (minor & 0xff) + (minor & 0xfff00) * 0x1000) >>> 0;
