// Kills all processes of a cgroup that has no cgroup.kill.
import { isGone } from './files.ts';

/**
 * Sends SIGKILL to all. They are frozen first, so that none forks while the others are counted; repeated
 * passes find forks that began before.
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

/** A process outside the pid namespace appears as 0, which kill(2) would take for our own process group. */
function signalKill(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
