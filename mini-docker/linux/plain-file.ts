// Ordinary files where somebody else may have put something that is none. To open a FIFO waits for its other end, a tty may
// become the controlling one, and a watchdog's node restarts the machine: so what is opened first is only the name
// (O_PATH), and the file itself once it is known to be one. A lease (fcntl(2), F_SETLEASE) holds up who opens without
// O_NONBLOCK for 45 seconds.
import { fstatSync } from 'node:fs';
import { call } from './call.ts';
import { AT, O } from './constants.ts';
import { openInRoot, type PathArg, withFd } from './in-root.ts';
import { mayFail } from './step.ts';
import { openat, read } from './syscalls.ts';

const READ = O.RDONLY | O.NONBLOCK | O.NOCTTY | O.CLOEXEC;

/**
 * Opens `name` in the directory `parent` for reading; a link is not followed.
 * @returns a close-on-exec descriptor, the caller's to close; undefined for what is not there, or no ordinary file
 * @throws SyscallError EAGAIN when somebody has a lease on it
 */
export function openPlainFile(parent: number, name: PathArg): number | undefined {
  const path = call(mayFail(openat(parent, name, O.PATH | O.NOFOLLOW | O.CLOEXEC, 0), 'ENOENT', 'ENOTDIR'));
  return path < 0 ? undefined : withFd(path, openIfPlain);
}

/** The same for what a descriptor of O_PATH stands for. */
function openIfPlain(path: number): number | undefined {
  return fstatSync(path).isFile() ? call(openat(AT.FDCWD, `/proc/self/fd/${path}`, READ, 0)) : undefined;
}

/** The same for a path inside of a root, in which links are followed. @throws SyscallError ENOENT and others of openat2(2) */
export function openPlainFileInRoot(rootFd: number, path: PathArg): number | undefined {
  return withFd(openInRoot(rootFd, path, O.PATH), openIfPlain);
}

/** Larger ones are not read: a container could fill our memory with them. */
const LARGEST_TEXT = 4 * 1024 * 1024;
/** Files of /proc and /sys have reasons of their own. */
const UNREADABLE = ['EAGAIN', 'EIO', 'EINVAL', 'EPERM', 'EACCES', 'ESRCH', 'ENODEV', 'ENXIO'] as const;

/** '' for what is not there, is no ordinary file, cannot be opened, or is larger than 4 MiB. */
export function readTextInRoot(rootFd: number, path: string): string {
  try {
    const fd = openPlainFileInRoot(rootFd, path);
    return fd === undefined ? '' : withFd(fd, fd => readBounded(fd)?.toString() ?? '');
  } catch {
    return '';
  }
}

/**
 * All of it from where the descriptor is; undefined when it is larger than 4 MiB, or cannot be read. Sizes are not
 * believed: a file of /proc is 0 bytes long and may never end (pagemap).
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
