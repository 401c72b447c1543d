// Opens ordinary files where another process may have put a file of another kind. Opening a FIFO waits for
// its other end, an opened tty may become the controlling terminal, and opening a watchdog's node restarts
// the machine. So only the name is opened first (O_PATH), and the file itself once it is known to be
// ordinary. A lease (fcntl(2), F_SETLEASE) would delay an open without O_NONBLOCK by 45 seconds.
import { fstatSync } from 'node:fs';
import { call } from './call.ts';
import { AT, O } from './constants.ts';
import { openInRoot, type PathArg, withFd } from './in-root.ts';
import { mayFail } from './step.ts';
import { openat, read } from './syscalls.ts';

const READ = O.RDONLY | O.NONBLOCK | O.NOCTTY | O.CLOEXEC;

/**
 * Opens `name` in the directory `parent` for reading, without following a link.
 * @returns a close-on-exec descriptor that the caller has to close; undefined when there is no ordinary file
 * @throws SyscallError EAGAIN when a process has a lease on the file
 */
export function openPlainFile(parent: number, name: PathArg): number | undefined {
  const path = call(mayFail(openat(parent, name, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0), 'ENOENT', 'ENOTDIR'));
  return path < 0 ? undefined : withFd(path, openIfPlain);
}

/** Opens the file that an O_PATH descriptor refers to, under the same rules. */
function openIfPlain(path: number): number | undefined {
  return fstatSync(path).isFile() ? call(openat(AT.FDCWD, `/proc/self/fd/${path}`, READ, 0)) : undefined;
}

/**
 * openPlainFile() for a path inside a root; follows links.
 * @throws SyscallError with ENOENT or others of openat2(2)
 */
export function openPlainFileInRoot(rootFd: number, path: PathArg): number | undefined {
  return withFd(openInRoot(rootFd, path, O.PATH), openIfPlain);
}

/** Bytes of the largest text that is read: a container could fill our memory with larger files. */
const LARGEST_TEXT = 4 * 1024 * 1024;
/** errnos that count as an empty file: files of /proc and /sys may fail with any of them. */
const UNREADABLE = ['EAGAIN', 'EIO', 'EINVAL', 'EPERM', 'EACCES', 'ESRCH', 'ENODEV', 'ENXIO'] as const;

/** Text of a file; '' when it is missing, not an ordinary file, unreadable, or larger than 4 MiB. */
export function readTextInRoot(rootFd: number, path: string): string {
  try {
    const fd = openPlainFileInRoot(rootFd, path);
    return fd === undefined ? '' : withFd(fd, fd => readBounded(fd)?.toString() ?? '');
  } catch {
    return '';
  }
}

/**
 * Reads from the descriptor's position to the end of the file; undefined when that is more than 4 MiB or
 * cannot be read. The file's reported size is ignored: files of /proc report 0 bytes and may be endless
 * (pagemap).
 */
export function readBounded(fd: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length <= LARGEST_TEXT) {
    const piece = Buffer.allocUnsafe(1 << 16);
    const got = call(mayFail(read(fd, piece), ...UNREADABLE));
    if (got < 0) return undefined;
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, got));
    length += got;
  }
  return undefined;
}
