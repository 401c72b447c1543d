// Paths inside an untrusted directory: a container's root filesystem, an image's layer. The kernel resolves
// them (openat2(2)) as it does after chroot(2), with no moment between check and use: symbolic links, '..'
// and absolute paths all stay below the root, even while another process moves files.

import { call } from './call.ts';
import { O, RESOLVE } from './constants.ts';
import { ERRNO } from './errno.ts';
import { mayFail } from './step.ts';
import { encodeOpenHow } from './structures.ts';
import { SyscallError } from './syscall-error.ts';
import { close, mkdirat, openat, openat2, readlinkat, utimensat } from './syscalls.ts';

/** A path: a string without NUL, or bytes that end in a NUL, for names that are not UTF-8. */
export type PathArg = string | Uint8Array;

/**
 * Tries before EAGAIN is reported: it means a rename during the call (openat2(2)), and an attacker can keep
 * renaming.
 */
const ATTEMPTS = 128;

/**
 * Opens `path` as seen by a process whose root is the directory `rootFd`. Symbolic links are followed, the last one
 * too unless `flags` has O_NOFOLLOW, and always inside the root. Magic links (/proc/PID/fd/N) are refused with ELOOP.
 * @returns a close-on-exec descriptor that the caller has to close
 * @throws SyscallError when the path cannot be opened
 */
export function openInRoot(rootFd: number, path: PathArg, flags: number, mode = 0): number {
  return open(rootFd, path, { flags, mode, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
}

/** openInRoot(), but refuses every symbolic link (ELOOP) and every path that leaves the root (EXDEV). */
export function openBeneath(rootFd: number, path: PathArg, flags: number, mode = 0): number {
  return open(rootFd, path, { flags, mode, resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS });
}

/** openInRoot(), but refuses every path that leaves the root, also by a link (EXDEV). */
export function openContained(rootFd: number, path: PathArg, flags: number): number {
  return open(rootFd, path, { flags, mode: 0, resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS });
}

function open(rootFd: number, path: PathArg, how: { flags: number; mode: number; resolve: number }): number {
  const encoded = encodeOpenHow({ ...how, flags: how.flags | O.CLOEXEC });
  // openat2 answers ENOENT to an empty path; here it means the root itself.
  const step = openat2(rootFd, path.length === 0 ? '.' : path, encoded);
  const retried = mayFail(step, 'EAGAIN', 'EINTR');
  for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
    const fd = call(retried);
    if (fd >= 0) return fd;
  }
  return call(step);
}

/**
 * Limits for one path: links to follow, as in the kernel (MAXSYMLINKS), and names in the path and all its
 * links.
 */
const MOST_LINKS = 40;
const MOST_NAMES = 4096;

/**
 * Resolves the symbolic links of `path`, as seen by a process whose root is the directory `rootFd`, even
 * where the path or the target of a link is missing: a missing name stays as it is. openInRoot() fails with
 * ENOENT on a dangling link; Docker creates the link's target inside the root (a volume at /data, and an
 * image in which /data leads to /srv/x). Use it for every path that has to be created: the mount point of a
 * volume, a working directory, the target of a copy.
 * @returns an absolute path as bytes, without a NUL: link targets need not be UTF-8
 * @throws SyscallError ELOOP when the path leads through too many links
 */
export function resolveInRoot(rootFd: number, path: PathArg): Buffer {
  return resolveLinks({ rootFd, path }, latin1 => linkTarget(rootFd, latin1));
}

/**
 * The same where other directories are mounted below the root: `targetOf` gives the target of the link at a path
 * whose directories are not links (relative to the root, a character for each byte), undefined for anything else.
 */
export function resolveLinks(
  { rootFd, path }: { rootFd: number; path: PathArg },
  targetOf: (latin1: string) => Buffer | undefined,
): Buffer {
  const todo = namesOf(Buffer.from(path)).reverse();
  let done: string[] = [];
  let links = 0;
  for (let names = 0; todo.length > 0; names++) {
    const name = todo.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = targetOf([...done, name].join('/'));
    if (target === undefined) {
      done.push(name);
      continue;
    }
    if (++links > MOST_LINKS || names > MOST_NAMES) return neverEnds(rootFd, path);
    if (target[0] === SLASH) done = [];
    todo.push(...namesOf(target).reverse());
  }
  return Buffer.from(`/${done.join('/')}`, 'latin1');
}

const SLASH = 0x2f;

/** The names of a path as Latin-1: one character for each byte, whatever its value. */
function namesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').replace(/\0$/, '').split('/');
}

/**
 * The target of the link at a path whose directories are not links; undefined when the path is not a link.
 */
export function linkTarget(rootFd: number, latin1: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openBeneath(rootFd, Buffer.from(`${latin1}\0`, 'latin1'), O.PATH | O.NOFOLLOW);
  } catch (error) {
    if (error instanceof SyscallError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  }
  const buffer = Buffer.alloc(4096);
  const length = withFd(fd, fd => call(mayFail(readlinkat(fd, '', buffer), 'ENOENT', 'EINVAL')));
  return length < 0 ? undefined : buffer.subarray(0, length);
}

function neverEnds(rootFd: number, path: PathArg): never {
  const failed = openat(rootFd, path, O.PATH, 0);
  throw new SyscallError({ doing: `cannot resolve ${Buffer.from(path)}`, failed, errno: ERRNO.ELOOP });
}

/**
 * Opens the directory `path` inside the root, and creates it and its parents where they are missing, even at
 * the targets of dangling links (resolveInRoot).
 * @param onMade called with a descriptor of each directory that was created, to set its owner
 * @returns a close-on-exec descriptor that the caller has to close
 * @throws SyscallError ELOOP or ENOTDIR when a directory is swapped for a link meanwhile
 */
export function makeDirectoriesInRoot(
  rootFd: number,
  path: PathArg,
  onMade: (fd: number) => void = () => {},
): number {
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
  let directory = openInRoot(rootFd, '', flags);
  for (const name of namesOf(resolveInRoot(rootFd, path)).filter(Boolean)) {
    directory = withFd(directory, above => {
      const bytes = Buffer.from(`${name}\0`, 'latin1');
      const made = call(mayFail(mkdirat(above, bytes, 0o755), 'EEXIST')) === 0;
      if (made) withFd(call(openat(above, bytes, flags, 0)), onMade);
      return call(openat(above, bytes, flags, 0));
    });
  }
  return directory;
}

/** Runs `use` with the descriptor and closes it, even when `use` throws. */
export function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    call(close(fd));
  }
}

/** The target, as bytes, of the symbolic link `name` in the directory `fd`. */
export function readLink(fd: number, name: PathArg): Buffer {
  const buffer = Buffer.alloc(4096);
  return buffer.subarray(0, call(readlinkat(fd, name, buffer)));
}

/**
 * Sets access and modification time, in nanoseconds since 1970; with the name null, those of the file `fd`
 * itself.
 */
export function setTimes(fd: number, name: PathArg | null, mtime: bigint, flags = 0): void {
  const second = 1_000_000_000n;
  const nanoseconds = ((mtime % second) + second) % second;
  const seconds = (mtime - nanoseconds) / second;
  const times = new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds]);
  call(utimensat(fd, name, new Uint8Array(times.buffer), flags));
}
