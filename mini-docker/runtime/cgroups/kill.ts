// Freezes or kills all processes of a cgroup, the latter where it has no cgroup.kill.
import { setTimeout as sleep } from 'node:timers/promises';
import { CgroupError } from './cgroup.ts';
import { isGone } from './files.ts';

/**
 * The kernel freezes the processes one by one. A process that was forked meanwhile, or that waits in the
 * kernel, may delay it: with version 1, writing again helps with the former.
 */
export async function freezeAll(group: { freeze(): void; isFrozen(): boolean; thaw(): void }): Promise<void> {
  const end = Date.now() + 5000;
  for (let pause = 1; Date.now() < end; pause = Math.min(pause * 2, 20)) {
    group.freeze();
    if (group.isFrozen()) return;
    await sleep(pause);
  }
  group.thaw();
  throw new CgroupError(
    'cannot pause the container: some of its processes wait in the kernel and do not stop; try again',
  );
}

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
