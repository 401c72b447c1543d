import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** The name of a process in /proc. */
export type Pid = number | 'self';

/** Content of /proc/PID/name; undefined when there is no such process, or it has ended. */
export function readProcFile(pid: Pid, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Text of any file; undefined where it cannot be read. */
export function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Whether an error means that the process has ended: before the open (ENOENT), or between open and read
 * (ESRCH). One that ends, or is a zombie, has no mount namespace any more, and its mountinfo cannot be opened (EINVAL).
 */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL';
}

/** Made once: its pages cost more than the reading. The kernel gives memory only to those that were written. */
let room: Buffer | undefined;
const LARGEST = 1 << 20;

/** At most `most` bytes of a file, 1 MiB or less; '' when it is missing or its process has ended. */
export function readBeginning(path: string, most: number): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
  try {
    room ??= Buffer.alloc(LARGEST);
    let length = 0;
    for (let got = -1; got !== 0 && length < most; length += got)
      got = readSync(fd, room, length, most - length, null);
    return room.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
