// Killing all processes of a group that has no cgroup.kill.
import { isGone } from './files.ts';

/**
 * SIGKILL to everyone. They are frozen first so that none forks while the others are counted; a fork that began
 * before is found by looking again.
 */
export function killAll(group: { processes(): number[]; freeze(): void; thaw(): void }): void {
  try {
    group.freeze();
    const killed = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const alive = group.processes().filter(pid => !killed.has(pid));
      if (alive.length === 0) break;
      for (const pid of alive) {
        signalKill(pid);
        killed.add(pid);
      }
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    group.thaw();
  }
}

/** 0 is what a process outside of our pid namespace looks like, and would be our own process group. */
function signalKill(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
