import { readFileSync } from 'node:fs';

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

/**
 * Whether an error means that the process has ended: before the open (ENOENT), or between open and read
 * (ESRCH).
 */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}
