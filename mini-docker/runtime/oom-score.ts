// Who is killed first when memory runs out. The daemon and everything that belongs to it should be among the last, as
// dockerd is; the programs in containers, which would inherit that, should not. proc_pid_oom_score_adj(5)
import { readFileSync, writeFileSync } from 'node:fs';

const OURS = -500;

/** For this process and those that it starts. Without CAP_SYS_RESOURCE it stays what it is; where it is lower, too. */
export function protectFromOomKiller(): void {
  if (Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) > OURS) write('self', OURS);
}

/**
 * Of a container's process that waits. Written from outside: inside a user namespace the file is nobody's.
 * @param asked undefined: 0, where that can be had
 * @throws Error where what was asked for cannot be had
 */
export function setOomScore(pid: number, asked: number | undefined, doing: string): void {
  if (write(pid, asked ?? 0) || asked === undefined) return;
  throw new Error(
    `${doing}: --oom-score-adj ${asked}: only CAP_SYS_RESOURCE may lower it, which the daemon lacks`,
  );
}

/** @returns whether it could be written; a process that has ended is no failure of this */
function write(pid: number | 'self', value: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(value));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return false;
    if (code === 'ENOENT' || code === 'ESRCH') return true;
    throw error;
  }
}
