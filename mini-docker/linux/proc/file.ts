import { readFileSync } from 'node:fs';

/** A process as /proc names it. */
export type Pid = number | 'self';

/** What stands in /proc/PID/name; undefined when there is no such process (any more). */
export function readProcFile(pid: Pid, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** ENOENT: the directory was gone before the open; ESRCH: the process ended between open and read. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}
