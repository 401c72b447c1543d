// A tar archive becomes files below a directory. The archive may be an attacker's: every name is resolved by the
// kernel inside that directory (linux/in-root.ts), and what is made is made anew, by descriptor, never through what
// stands there already.

import { chmodSync, writeSync } from 'node:fs';
import { encodeName, isByteName } from '../formats/byte-names.ts';
import type { TarEntry } from '../formats/tar/entry.ts';
import type { TarConsumer } from '../formats/tar/reader.ts';
import { call } from '../linux/call.ts';
import { AT, O, S_IF } from '../linux/constants.ts';
import { isWhiteout, removeTree, statusAt } from '../linux/directory.ts';
import { asFileUser } from '../linux/file-user.ts';
import { openInRoot, type PathArg, setTimes, withFd } from '../linux/in-root.ts';
import { mayFail, type Step } from '../linux/step.ts';
import { SyscallError } from '../linux/syscall-error.ts';
import {
  close,
  fchmod,
  fchown,
  fchownat,
  fsetxattr,
  ftruncate,
  linkat,
  mkdirat,
  mknodat,
  openat,
  symlinkat,
} from '../linux/syscalls.ts';
import { ImageError } from './errors.ts';
import { hiddenName, isMetadata, isOpaqueMark, OPAQUE_XATTR } from './whiteouts.ts';

export interface UnpackOptions {
  /** The directory that nothing gets out of. It stays the caller's. */
  rootFd: number;
  /** Where in it the archive is unpacked: '' for the directory itself. Resolved inside the root. */
  base?: string;
  /** Turn the image specification's whiteouts (.wh.NAME) into overlayfs's. Without it they are files like others. */
  whiteouts: boolean;
  /** How many bytes there may be: of content, and a block for each file or directory, be it empty. */
  limit: number;
  /** How many bytes of names of directories may be kept until they get their times. */
  memory?: number;
  /** Refuse to put a directory where something else is, and something else where a directory is. */
  keepKinds?: boolean;
  /** Who is to own what the archive says belongs to `named`. */
  owner?(named: { uid: number; gid: number }): { uid: number; gid: number };
  /** Who makes it, before it gets its owner: for a root that is in another user namespace. */
  as?: { uid: number; gid: number };
}

export interface Unpacker extends TarConsumer {
  /** When all entries have been unpacked: gives directories their times. */
  finish(): void;
  /** In any case, also after an error. */
  close(): void;
  /** Bytes of all files so far. */
  readonly size: number;
}

const EEXIST = 17;
const NEW_DIRECTORY = 0o755;
const BLOCK = 4096;
const MEMORY = 128 << 20;
/** What a string and its place in a map take, about. */
const NAME_OVERHEAD = 64;
const OPEN_DIRECTORY = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
const NUL = Buffer.alloc(1);
const YES = Buffer.from('y');
/** What a layer may set: overlayfs obeys trusted.overlay.*, a security module its own. */
const ALLOWED_XATTR = /^(?:user\.(?!overlay\.)|security\.capability$)/;

const pathArg = (path: string): PathArg => (isByteName(path) ? Buffer.concat([encodeName(path), NUL]) : path);

/** The path without '.', '..' and doubled slashes, relative to the root. */
function normalise(path: string): string {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new ImageError(`the archive is not safe: ${JSON.stringify(path)} leads out of it`);
    }
  }
  return parts.join('/');
}

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof SyscallError && codes.includes(error.code);

export function createUnpacker(options: UnpackOptions): Unpacker {
  const { rootFd, whiteouts, limit, memory = MEMORY, keepKinds = false } = options;
  const baseDirectory = normalise(options.base ?? '');
  const base = baseDirectory === '' ? '' : `${baseDirectory}/`;
  const { as } = options;
  const create = (step: Step): number => (as === undefined ? call(step) : asFileUser(as, () => call(step)));
  /** The directory of the last entry: archives go through the tree, so the next one's is mostly the same. */
  let parent = -1;
  let parentPath = '';
  /** The file whose content arrives. */
  let file = -1;
  let current: TarEntry | undefined;
  /** The highest byte written: behind it is a hole. */
  let written = 0;
  let stored = 0;
  let size = 0;
  /** Last of all, because every file made in a directory changes its time. */
  const directoryTimes = new Map<string, bigint>();
  let remembered = 0;

  function store(bytes: number): void {
    stored += bytes;
    if (stored > limit) throw new ImageError(`the archive unpacks to more than the ${limit} bytes allowed`);
  }

  function rememberTime(path: string, mtime: bigint): void {
    remembered += path.length + NAME_OVERHEAD;
    if (remembered > memory)
      throw new ImageError('the archive has more directories than can be kept in mind');
    directoryTimes.set(path, mtime);
  }

  function forgetParent(): void {
    if (parent >= 0) call(close(parent));
    parent = -1;
  }

  /** A descriptor of the directory `path`, which is made, with those above it, when the archive did not name it. */
  function openDirectory(path: string): number {
    try {
      return openInRoot(rootFd, pathArg(path), O.RDONLY | O.DIRECTORY);
    } catch (error) {
      const { directory, name } = splitLast(path);
      if (name === '' || !isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      return withFd(openDirectory(directory), above => {
        const status = statusAt(above, pathArg(name));
        const hidden = status !== undefined && whiteouts && isWhiteout(status);
        if (status !== undefined && !hidden) {
          throw new ImageError(
            `the archive has files below ${JSON.stringify(path)}, which is not a directory`,
          );
        }
        if (hidden) removeTree(above, pathArg(name));
        store(BLOCK);
        create(mkdirat(above, pathArg(name), NEW_DIRECTORY));
        const fd = call(openat(above, pathArg(name), OPEN_DIRECTORY, 0));
        call(fchmod(fd, NEW_DIRECTORY));
        if (hidden) markOpaque(fd);
        return fd;
      });
    }
  }

  function parentOf(path: string): { fd: number; name: string } {
    const { directory, name } = splitLast(path);
    if (parent < 0 || parentPath !== directory) {
      forgetParent();
      parent = openDirectory(directory);
      parentPath = directory;
    }
    return { fd: parent, name };
  }

  /** Makes something under a name. What has the name already gives way. */
  function make(fd: number, name: string, step: Step): number {
    const tolerant = mayFail(step, 'EEXIST');
    const result = create(tolerant);
    if (result !== -EEXIST) return result;
    if (keepKinds && kindAt(fd, name) === S_IF.DIR) {
      throw new ImageError(`cannot overwrite the directory ${JSON.stringify(name)} with something else`);
    }
    removeTree(fd, pathArg(name));
    return create(step);
  }

  const kindAt = (fd: number, name: string): number => (statusAt(fd, pathArg(name))?.mode ?? 0) & S_IF.MT;

  function makeDirectory(entry: TarEntry, path: string): void {
    if (path === '' || path === baseDirectory) {
      withFd(openDirectory(path), fd => describeFile(fd, entry));
    } else {
      const at = parentOf(path);
      const name = pathArg(at.name);
      let opaque = false;
      if (create(mayFail(mkdirat(at.fd, name, NEW_DIRECTORY), 'EEXIST')) === -EEXIST) {
        const status = statusAt(at.fd, name);
        opaque = whiteouts && status !== undefined && isWhiteout(status);
        if (status === undefined || (status.mode & S_IF.MT) !== S_IF.DIR) {
          if (keepKinds) throw new ImageError(`cannot overwrite ${JSON.stringify(at.name)} with a directory`);
          removeTree(at.fd, name);
          create(mkdirat(at.fd, name, NEW_DIRECTORY));
        }
      }
      withFd(call(openat(at.fd, name, OPEN_DIRECTORY, 0)), fd => {
        if (opaque) markOpaque(fd);
        describeFile(fd, entry);
      });
    }
    rememberTime(path, entry.mtime);
  }

  function makeLink(entry: TarEntry, path: string): void {
    const target = base + normalise(entry.linkname ?? '');
    const { directory, name } = splitLast(target);
    if (name === '') throw new ImageError(`the archive links ${JSON.stringify(path)} to a directory`);
    if (target === path) return;
    let from: number;
    try {
      from = openInRoot(rootFd, pathArg(directory), O.PATH | O.DIRECTORY);
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
      if (whiteouts && isWhiteout(status)) throw noTarget(entry);
      const at = parentOf(path);
      make(at.fd, at.name, linkat(fd, pathArg(name), at.fd, pathArg(at.name), 0));
    });
  }

  function makeNode(entry: TarEntry, path: string): void {
    const { major = 0, minor = 0 } = entry;
    if (whiteouts && entry.type === 'character' && major === 0 && minor === 0) {
      throw new ImageError(
        `the archive is not safe: ${JSON.stringify(path)} is a forged whiteout (device 0:0)`,
      );
    }
    const type = { character: S_IF.CHR, block: S_IF.BLK, fifo: S_IF.IFO }[entry.type as 'character'];
    const at = parentOf(path);
    const name = pathArg(at.name);
    make(at.fd, at.name, mknodat(at.fd, name, type | 0o600, deviceNumber(major, minor)));
    withFd(call(openat(at.fd, name, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0)), fd => {
      call(fchownat(fd, '', entry.uid, entry.gid, AT.EMPTY_PATH));
      // fchmod(2) wants more than O_PATH; the magic link leads to this very inode.
      chmodSync(`/proc/self/fd/${fd}`, entry.mode);
    });
    setTimes(at.fd, name, entry.mtime, AT.SYMLINK_NOFOLLOW);
  }

  function makeSymlink(entry: TarEntry, path: string): void {
    const at = parentOf(path);
    const name = pathArg(at.name);
    make(at.fd, at.name, symlinkat(pathArg(entry.linkname ?? ''), at.fd, name));
    call(fchownat(at.fd, name, entry.uid, entry.gid, AT.SYMLINK_NOFOLLOW));
    setTimes(at.fd, name, entry.mtime, AT.SYMLINK_NOFOLLOW);
  }

  function makeFile(entry: TarEntry, path: string): void {
    const at = parentOf(path);
    const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
    file = make(at.fd, at.name, openat(at.fd, pathArg(at.name), flags, 0o600));
    current = entry;
    written = 0;
    size += entry.size;
  }

  function whiteout(path: string): boolean {
    const { directory, name } = splitLast(path);
    if (isOpaqueMark(name)) {
      withFd(openDirectory(directory), markOpaque);
      return true;
    }
    if (isMetadata(name)) return true;
    const hidden = hiddenName(name);
    if (hidden === undefined) return false;
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw new ImageError(`the archive is not safe: ${JSON.stringify(path)} is a forged whiteout`);
    }
    const at = parentOf(directory === '' ? hidden : `${directory}/${hidden}`);
    const result = call(mayFail(mknodat(at.fd, pathArg(at.name), S_IF.CHR, 0), 'EEXIST'));
    // A whiteout is about the layers below: what this layer has under the name stays, and hides what is below itself.
    if (result === -EEXIST && kindAt(at.fd, at.name) === S_IF.DIR) {
      withFd(call(openat(at.fd, pathArg(at.name), OPEN_DIRECTORY, 0)), markOpaque);
    }
    return true;
  }

  return {
    get size() {
      return size;
    },
    entry(described) {
      const { uid, gid } = described;
      const entry =
        options.owner === undefined ? described : { ...described, ...options.owner({ uid, gid }) };
      const path = base + normalise(entry.path);
      store(BLOCK);
      if (whiteouts && whiteout(path)) return;
      if (entry.type === 'directory') return makeDirectory(entry, path.replace(/\/$/, ''));
      if (path === base) throw new ImageError(`the archive's root is a ${entry.type}, not a directory`);
      if (entry.type === 'file') makeFile(entry, path);
      else if (entry.type === 'symlink') makeSymlink(entry, path);
      else if (entry.type === 'hardlink') makeLink(entry, path);
      else makeNode(entry, path);
    },
    data(bytes, position) {
      if (file < 0) return;
      store(bytes.length);
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, bytes.length - done, position + done);
      }
      written = position + bytes.length;
    },
    end() {
      if (file < 0 || current === undefined) return;
      if (written < current.size) call(ftruncate(file, current.size));
      describeFile(file, current);
      setTimes(file, null, current.mtime);
      call(close(file));
      file = -1;
    },
    finish() {
      forgetParent();
      for (const [path, mtime] of directoryTimes) {
        try {
          withFd(openInRoot(rootFd, pathArg(path), OPEN_DIRECTORY), fd => setTimes(fd, null, mtime));
        } catch (error) {
          // A later entry put something else in its place.
          if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
        }
      }
    },
    close() {
      forgetParent();
      if (file >= 0) call(close(file));
      file = -1;
    },
  };
}

function splitLast(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { directory: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Owner first: chown(2) takes setuid and setgid, and a file's capabilities, away. */
function describeFile(fd: number, entry: TarEntry): void {
  call(fchown(fd, entry.uid, entry.gid));
  call(fchmod(fd, entry.mode));
  for (const [name, value] of entry.xattrs ?? []) {
    // A filesystem without them (ENOTSUP) is no reason to refuse an image.
    if (ALLOWED_XATTR.test(name)) call(mayFail(fsetxattr(fd, name, value, 0), 'ENOTSUP', 'EOPNOTSUPP'));
  }
}

const markOpaque = (fd: number): void => {
  call(fsetxattr(fd, OPAQUE_XATTR, YES, 0));
};

const noTarget = (entry: TarEntry, cause?: unknown): ImageError =>
  new ImageError(
    `the archive links ${JSON.stringify(entry.path)} to ${JSON.stringify(entry.linkname)}, which is not there`,
    { cause },
  );

/** As makedev(3): the kernel's 32-bit form of a device number. */
const deviceNumber = (major: number, minor: number): number =>
  ((major & 0xfff) * 0x100 + (minor & 0xff) + (minor & 0xfff00) * 0x1000) >>> 0;
