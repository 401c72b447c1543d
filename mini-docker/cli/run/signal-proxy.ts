// Passes the signals that we get on to a container, as `run` and `attach` do by default (--sig-proxy).

import { constants } from 'node:os';
import type { DaemonClient } from '../daemon/client.ts';
import { printError } from '../show/output.ts';

/**
 * Not those that cannot be caught, that are about us alone (SIGCHLD, SIGPIPE, SIGURG, SIGWINCH), or that tell of a
 * fault in our own code.
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
/** So often may the user ask a container to end that does not listen, until we end without it. */
const PATIENCE = 3;

/** Until the function that comes back is called. */
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
    // When it has ended meanwhile there is nobody to tell.
    daemon.text('POST', `/containers/${container}/kill`, { query: { signal } }).catch(() => {});
  };
  for (const signal of PASSED) process.on(signal, pass);
  return () => {
    for (const signal of PASSED) process.off(signal, pass);
  };
}
