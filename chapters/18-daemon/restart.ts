// When a box is started again. All of it is arithmetic: nothing here starts anything.
// The engine: mini-docker/engine/life/restart-policy.ts

export interface Policy {
  /** no, always, unless-stopped or on-failure; '' is no. */
  Name: string;
  /** on-failure: 0 means without limit. */
  MaximumRetryCount?: number;
}

export interface Ended {
  /** undefined: no process saw how it ended. */
  exitCode: number | undefined;
  stopped: boolean;
  restarts: number;
}

export function shouldRestart(policy: Policy | undefined, { exitCode, stopped, restarts }: Ended): boolean {
  if (stopped) return false;
  const { Name = 'no', MaximumRetryCount: most = 0 } = policy ?? {};
  if (Name === 'on-failure') return exitCode !== 0 && (most === 0 || restarts < most);
  return Name === 'always' || Name === 'unless-stopped';
}

/** A box that ran for so many milliseconds was not broken: the next delay is the first again. */
const STABLE = 10_000;
const FIRST = 100;
const LONGEST = 60_000;

/** All in milliseconds. @param previous the delay before this run; 0 if there was none. @param lasted of this run */
export function nextDelay(previous: number, lasted: number): number {
  return previous === 0 || lasted >= STABLE ? FIRST : Math.min(2 * previous, LONGEST);
}
