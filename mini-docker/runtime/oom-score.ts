// Sets the order of kills when memory runs out. The daemon and its own processes should be among the last,
// like dockerd; the programs in containers would inherit that, and should not. proc_pid_oom_score_adj(5)
import { readFileSync, writeFileSync } from 'node:fs';

const OURS = -500;

/**
 * Sets the score of this process and its later children. Nothing changes without a wish if the value is already lower, or
 * without CAP_SYS_RESOURCE.
 * @throws Error when a requested value cannot be set
 */
export function setOwnOomScore(asked: number | undefined): void {
  if (asked !== undefined && !write('self', asked))
    throw new Error(`oom-score-adjust ${asked}: only CAP_SYS_RESOURCE may lower it, which the daemon lacks`);
  if (asked === undefined && Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) > OURS)
    write('self', OURS);
}

/**
 * Sets the score of a container's process while it waits. It is written from outside, since inside a user
 * namespace the process does not own the file.
 * @param asked undefined: 0, if possible
 * @throws Error when a requested value cannot be set
 */
export function setOomScore(pid: number, asked: number | undefined, doing: string): void {
  if (write(pid, asked ?? 0) || asked === undefined) return;
  throw new Error(
    `${doing}: --oom-score-adj ${asked}: only CAP_SYS_RESOURCE may lower it, which the daemon lacks`,
  );
}

/** @returns whether it could be written; a process that has exited is no failure */
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
