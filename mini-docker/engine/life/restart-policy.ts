// Whether a container whose program has ended is started again.

import type { RestartPolicy } from '../../formats/engine-api/containers.ts';
import type { ContainerRecord } from '../state/record.ts';

/** Milliseconds. */
export const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;
/** Who ran this long is not failing at its start: the next delay is the first one again. */
const STABLE = 10_000;

export interface EndedRun {
  policy: RestartPolicy | undefined;
  exitCode: number;
  /** The user stopped it. */
  manuallyStopped: boolean;
  /** Restarts so far, since the user started it. */
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

/** When the daemon starts, `always` means also those that the user had stopped. */
export function shouldStartWithDaemon(ended: EndedRun): boolean {
  return ended.policy?.Name === 'always' || shouldRestart(ended);
}

/** `previous`: the delay before the run that has ended now, 0 for none; `lasted`: how long it ran. Milliseconds. */
export function nextDelay(previous: number, lasted: number): number {
  if (previous === 0 || lasted >= STABLE) return FIRST_DELAY;
  return Math.min(previous * 2, LONGEST_DELAY);
}
