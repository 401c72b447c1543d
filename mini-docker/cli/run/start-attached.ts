// Starts a container with this process's streams, terminal and signals attached: `run`, and `start --attach`.

import type { DaemonClient } from '../daemon/client.ts';
import { waitForExit } from './container-wait.ts';
import { passSignals } from './signal-proxy.ts';
import { joinStreams } from './stream.ts';
import { followSize, rawMode } from './terminal.ts';

export interface AttachedStart {
  daemon: DaemonClient;
  id: string;
  tty: boolean;
  streams: { stdin: boolean; stdout: boolean; stderr: boolean };
  detachKeys: string | undefined;
  /** Whether this process's signals are forwarded. */
  signals: boolean;
  /** Whether the container is removed when it exits. */
  removed: boolean;
  /** Whether a failed start removes it, too. */
  discarded?: boolean;
  start(): Promise<unknown>;
}

/** Resolves with the container's exit code, or 0 after a detach. */
export async function startAttached(options: AttachedStart): Promise<number> {
  const { daemon, id, tty, streams, detachKeys } = options;
  const path = `/containers/${id}`;
  const [connection, wait] = await Promise.all([
    daemon.hijack(`${path}/attach`, { query: { stream: true, ...streams, detachKeys } }),
    waitForExit(daemon, id, options.removed ? 'removed' : 'next-exit'),
  ]);
  using attached = new DisposableStack();
  if (tty && streams.stdin) attached.defer(await rawMode());
  if (options.signals) attached.defer(passSignals(daemon, id));
  const end = joinStreams({ connection, tty, ...streams, detachKeys });
  // Its failure is handled below; until then the start decides.
  end.catch(() => {});
  try {
    await options.start();
  } catch (error) {
    connection.socket.destroy();
    if (options.discarded) await wait.ended;
    throw error;
  }
  if (tty) attached.defer(followSize(daemon, path));
  return (await end) === 'detached' ? 0 : wait.exitCode();
}
