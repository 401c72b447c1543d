// The parts of the outside world that an ordinary user's daemon reaches from its namespaces.

import { giveUpNamespaces, readNamespaces } from './namespaces.ts';
import { openOutsideSockets, type SocketAddress } from './outside-sockets.ts';
import { checkStorage } from './storage.ts';

export interface Rootless extends Disposable {
  /** Opens a socket in the host's network; see OutsideSockets.open. */
  openHostSocket(where: SocketAddress): number;
  /** Why the outside cannot be reached, and the remedy; undefined if it can. */
  offline: string | undefined;
  /** When the daemon ends and no container runs: ends the processes that keep the namespaces. */
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
  let storageProblem: string | undefined;
  try {
    storageProblem = checkStorage(dataRoot);
  } catch (error) {
    giveUpNamespaces(runDir, namespaces);
    throw error;
  }
  for (const problem of [idProblem, uplink.problem, storageProblem]) if (problem !== undefined) tell(problem);
  const sockets = openOutsideSockets(namespaces.outside);
  return {
    openHostSocket: where => sockets.open(where),
    offline: uplink.problem,
    giveUp: () => giveUpNamespaces(runDir, namespaces),
    [Symbol.dispose]: () => sockets[Symbol.dispose](),
  };
}
