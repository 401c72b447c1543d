// The parts of the outside world that an ordinary user's daemon reaches from its namespaces.

import { areInUse, giveUpNamespaces, readNamespaces } from './namespaces.ts';
import { openOutsideSockets, type SocketAddress } from './outside-sockets.ts';
import { checkStorage } from './storage.ts';

/** Disposing of it ends the processes that keep the namespaces, unless containers run in them. */
export interface Rootless extends Disposable {
  /** Opens a socket in the host's network; see OutsideSockets.open. */
  openHostSocket(where: SocketAddress): number;
  /** Why the outside cannot be reached, and the remedy; undefined if it can. */
  offline: string | undefined;
  /** When no container runs any more: ends the processes that keep the namespaces. */
  giveUp(): void;
}

/**
 * @param tell receives what will not work here, a sentence each
 * @throws Error with one line when the namespaces' processes are gone
 */
export function openRootless(options: {
  runDir: string;
  dataRoot: string;
  tell(trouble: string): void;
}): Rootless {
  const { runDir, dataRoot, tell } = options;
  const namespaces = readNamespaces(runDir);
  if (namespaces === undefined)
    throw new Error(`${runDir}/rootless.json is missing or damaged: start the daemon again`);
  const { idProblem, uplink } = namespaces;
  using resources = new DisposableStack();
  let isGivenUp = false;
  const giveUp = () => {
    // Only once: by then the next daemon may have made its own.
    if (!isGivenUp) giveUpNamespaces(runDir, namespaces);
    isGivenUp = true;
  };
  resources.defer(() => {
    if (!areInUse(runDir)) giveUp();
  });
  for (const problem of [idProblem, uplink.problem, checkStorage(dataRoot)])
    if (problem !== undefined) tell(problem);
  const sockets = resources.use(openOutsideSockets(namespaces.outside));
  const opened = resources.move();
  return {
    openHostSocket: where => sockets.open(where),
    offline: uplink.problem,
    giveUp,
    [Symbol.dispose]: () => opened.dispose(),
  };
}
