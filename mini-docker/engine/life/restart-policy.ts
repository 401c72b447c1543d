// Restart policies: whether a container is started again after its program has exited.

import type { RestartPolicy } from '../../formats/engine-api/containers.ts';
import type { ContainerRecord } from '../state/record.ts';

/** Milliseconds before the first restart. */
export const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;
/** A run of this many milliseconds counts as stable and resets the delay. */
const STABLE = 10_000;

export interface EndedRun {
  policy: RestartPolicy | undefined;
  exitCode: number;
  /** Whether the user stopped it. */
  manuallyStopped: boolean;
  /** Restarts since the user started it. */
  restartCount: number;
}

export function endedRun({ hostConfig, state }: ContainerRecord): EndedRun {
  const { exitCode, manuallyStopped, restartCount } = state;
  return { policy: hostConfig.RestartPolicy, exitCode, manuallyStopped, restartCount };
}

export function shouldRestart({ policy, exitCode, manuallyStopped, restartCount }: EndedRun): boolean {
  if (manuallyStopped) return false;
  switch (policy?.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure': {
      const limit = policy.MaximumRetryCount ?? 0;
      return exitCode !== 0 && (limit === 0 || restartCount < limit);
    }
    default:
      return false;
  }
}

/** Whether its state matters after the machine has been down. */
export function hasPolicy({ hostConfig }: ContainerRecord): boolean {
  return !['', 'no'].includes(hostConfig.RestartPolicy?.Name ?? '');
}

/** Whether to start it with the daemon; `always` then includes containers that the user stopped. */
export function shouldStartWithDaemon(ended: EndedRun): boolean {
  return ended.policy?.Name === 'always' || shouldRestart(ended);
}

/**
 * All in milliseconds. `previous`: the delay before the run that has just ended, 0 for none; `lasted`: that
 * run's duration.
 */
export function nextDelay(previous: number, lasted: number): number {
  if (previous === 0 || lasted >= STABLE) return FIRST_DELAY;
  return Math.min(previous * 2, LONGEST_DELAY);
}
