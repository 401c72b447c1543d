// Ends what is left of a container, and forgets it.
import { SIG } from '../linux/constants.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { openProcess } from '../linux/proc/identity.ts';
import { directoryOf, publicState, removeDirectory, type StoredState } from './container-state.ts';
import { runHooks } from './hooks.ts';
import { logError } from './log.ts';
import { cgroupOf } from './processes.ts';

export async function deleteContainer(root: string, state: StoredState): Promise<void> {
  const pidfd = state.process && openProcess(state.process);
  const held = pidfd === undefined ? undefined : new HeldProcess(pidfd);
  const cgroup = cgroupOf(state);
  held?.signal(SIG.KILL);
  cgroup?.kill();
  await held?.ended();
  await cgroup?.delete();
  removeDirectory(directoryOf(root, state.id));
  afterwards(state);
}

/** The poststop hooks. The container is gone all the same if one fails (runtime-spec, "Lifecycle"). */
export function afterwards(state: StoredState): void {
  try {
    runHooks(state.spec, 'poststop', publicState(state, 'stopped'));
  } catch (error) {
    logError({ format: 'text' }, (error as Error).message);
  }
}
