// Forwards the command's signals to a container, as `run` and `attach` do by default (--sig-proxy).

import { constants } from 'node:os';
import type { DaemonClient } from '../daemon/client.ts';
import { printError } from '../show/output.ts';

/**
 * Signals that are forwarded: not those that cannot be caught, that concern the command alone (SIGCHLD,
 * SIGPIPE, SIGURG, SIGWINCH), or that report a fault in its own code.
 */
const PASSED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];
/** Number of requests to end that a container may ignore before the command exits without it. */
const PATIENCE = 3;

/** Forwards signals until the returned function is called. */
export function passSignals(daemon: DaemonClient, container: string): () => void {
  let asked = 0;
  const pass = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') {
      asked += 1;
      if (asked === PATIENCE) {
        printError(`mini-docker: got ${PATIENCE} SIGTERM/SIGINTs, ending without the container`);
        process.exit(128 + constants.signals[signal]);
      }
    }
    // The container may have exited meanwhile; then there is nothing to signal.
    daemon.text('POST', `/containers/${container}/kill`, { query: { signal } }).catch(() => {});
  };
  for (const signal of PASSED) process.on(signal, pass);
  return () => {
    for (const signal of PASSED) process.off(signal, pass);
  };
}
