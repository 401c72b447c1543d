// Paths inside a directory that somebody else filled: a container's root filesystem, an image's layer. The kernel
// resolves them (openat2(2)), as chroot(2) would and without a moment between check and use: symbolic links, '..' and
// absolute paths all stay below the root, also while others move things about.
import { fstatSync } from 'node:fs';
import { call } from './call.ts';
import { O, RESOLVE } from './constants.ts';
import { mayFail } from './step.ts';
import { close, openat2, read, readlinkat, utimensat } from './syscalls.ts';

/** A name without NUL; bytes, with their NUL, where it is not UTF-8. */
export type PathArg = string | Uint8Array;

/** EAGAIN tells of a rename at the wrong moment (openat2(2), RESOLVE_IN_ROOT); an attacker can go on with it. */
const ATTEMPTS = 128;

/**
 * Opens `path` as seen by a process whose root is the directory `rootFd`. Symbolic links are followed, the last one
 * too unless `flags` has O_NOFOLLOW, and always inside the root. Magic links (/proc/PID/fd/N) are refused with ELOOP.
 * @returns a close-on-exec descriptor, the caller's to close
 * @throws SyscallError
 */
export function openInRoot(rootFd: number, path: PathArg, flags: number, mode = 0): number {
  return open(rootFd, path, { flags, mode, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
}

/** The same, refusing every symbolic link (ELOOP) and every way out (EXDEV). */
export function openBeneath(rootFd: number, path: PathArg, flags: number, mode = 0): number {
  return open(rootFd, path, { flags, mode, resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS });
}

function open(rootFd: number, path: PathArg, how: { flags: number; mode: number; resolve: number }): number {
  const words = new BigUint64Array([BigInt(how.flags | O.CLOEXEC), BigInt(how.mode), BigInt(how.resolve)]);
  // An empty path is ENOENT to openat2; people mean the root itself.
  const step = openat2(rootFd, path.length === 0 ? '.' : path, new Uint8Array(words.buffer));
  const retried = mayFail(step, 'EAGAIN', 'EINTR');
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    const fd = call(retried);
    if (fd >= 0) return fd;
  }
  return call(step);
}

/** Larger ones are not read: a container could fill our memory with them. */
const LARGEST_TEXT = 4 * 1024 * 1024;
/** Files of /proc and /sys have reasons of their own. */
const UNREADABLE = ['EAGAIN', 'EIO', 'EINVAL', 'EPERM', 'EACCES', 'ESRCH', 'ENODEV', 'ENXIO'] as const;

/** '' for what is not there, is no ordinary file (a FIFO there must not hold us up), or is larger than 4 MiB. */
export function readTextInRoot(rootFd: number, path: string): string {
  let fd: number;
  try {
    fd = openInRoot(rootFd, path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
  } catch {
    return '';
  }
  return withFd(fd, () => (fstatSync(fd).isFile() ? readBounded(fd) : ''));
}

/** Sizes are not believed: a link may lead to a file of /proc, which is 0 bytes long and may never end (pagemap). */
function readBounded(fd: number): string {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length <= LARGEST_TEXT) {
    const piece = Buffer.allocUnsafe(1 << 16);
    const got = call(mayFail(read(fd, piece), ...UNREADABLE));
    if (got < 0) return '';
    if (got === 0) return Buffer.concat(pieces).toString();
    pieces.push(piece.subarray(0, got));
    length += got;
  }
  return '';
}

/** Runs `use` with the descriptor and closes it, also when `use` throws. */
export function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    call(close(fd));
  }
}

/** Where a symbolic link leads, as bytes; `name` is taken in the directory `fd`, and not followed. */
export function readLink(fd: number, name: PathArg): Buffer {
  const buffer = Buffer.alloc(4096);
  return buffer.subarray(0, call(readlinkat(fd, name, buffer)));
}

/** Sets access and modification time, in nanoseconds since 1970. Without a name: of the file `fd` itself. */
export function setTimes(fd: number, name: PathArg | null, mtime: bigint, flags = 0): void {
  const second = 1_000_000_000n;
  const nanoseconds = ((mtime % second) + second) % second;
  const seconds = (mtime - nanoseconds) / second;
  const times = new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds]);
  call(utimensat(fd, name, new Uint8Array(times.buffer), flags));
}
