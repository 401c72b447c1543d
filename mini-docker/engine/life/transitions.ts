// What a container's state may become, and what changes with it.

import type { LiveContainer } from '../state/live-container.ts';

/** A restart that waits does not happen any more. The caller holds the lock. */
export function cancelRestart(live: LiveContainer): void {
  clearTimeout(live.restartTimer);
  live.restartTimer = undefined;
  live.restartDelay = 0;
}
