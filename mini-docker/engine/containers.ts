// Engine.containers: finds the container that is meant, and hands over to the file that knows how.

import { exportContainer, getArchive, putArchive, statContainerPath } from './archive.ts';
import { attachClient } from './attach.ts';
import { containerChanges } from './changes.ts';
import { commitContainer } from './commit.ts';
import { containerEvent } from './container-events.ts';
import type { EngineContext } from './context.ts';
import { createContainer } from './create.ts';
import { sizesOf } from './disk-sizes.ts';
import type { ContainersApi } from './engine.ts';
import { EngineError, notRunning } from './errors.ts';
import { explainContainer } from './explain.ts';
import { inspectContainer } from './inspect.ts';
import { listContainers } from './list.ts';
import { containerLogs } from './logs.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { securityReport } from './security-report.ts';
import { startContainer } from './start-container.ts';
import { containerStats } from './stats.ts';
import { killContainer, restartContainer, stopContainer } from './stop.ts';
import { processTable } from './top.ts';
import { updateContainer } from './update.ts';
import { waitFor } from './wait.ts';

export function containersApi(context: EngineContext): ContainersApi {
  const find = (reference: string) => context.containers.get(reference);
  return {
    create: request => createContainer(context, request),
    start: async container => startContainer(context, find(container)),
    stop: async (container, options = {}) => stopContainer(context, find(container), options),
    restart: async (container, options = {}) => restartContainer(context, find(container), options),
    kill: async (container, signal) => killContainer(context, find(container), signal),
    pause: async container => pauseContainer(context, find(container)),
    unpause: async container => unpauseContainer(context, find(container)),
    wait: async (container, options = {}) => waitFor(context, find(container), options),
    rename: async (container, name) => renameContainer(context, find(container), name),
    update: async (container, body) => updateContainer(context, find(container), body),
    async inspect(container, options = {}) {
      const live = find(container);
      return { ...inspectContainer(context, live), ...(options.size ? await sizesOf(context, live) : {}) };
    },
    list: (options = {}) => listContainers(context, options),
    async top(container, psArgs = '-ef') {
      const live = find(container);
      if (live.run === undefined) throw notRunning(live.id);
      const table = processTable(live.run.container.processes(), psArgs);
      containerEvent(context, live, 'top');
      return table;
    },
    logs: async (container, options) => containerLogs(context, find(container), options),
    attach: async (container, options) => attachClient(context, find(container), options),
    async resize(container, size) {
      const live = find(container);
      if (live.run === undefined) throw notRunning(live.id);
      live.run.container.resize(size);
      const { rows, columns } = size;
      containerEvent(context, live, 'resize', { height: String(rows), width: String(columns) });
    },
    stats: async (container, options) => containerStats(context, find(container), options),
    changes: async container => containerChanges(context, find(container)),
    statPath: async (container, path) => statContainerPath(context, find(container), path),
    getArchive: async (container, path) => getArchive(context, find(container), path),
    putArchive: async (container, path, options) => putArchive(context, find(container), { path, options }),
    export: async container => exportContainer(context, find(container)),
    remove: async (container, options = {}) => {
      if (options.link)
        throw new EngineError('notImplemented', 'links are not containers of their own: rm --link');
      return removeContainer(context, find(container), options);
    },
    prune: (filters = {}) => pruneContainers(context, filters),
    commit: async (container, options) => commitContainer(context, find(container), options),
    security: async container => securityReport(find(container)),
    explain: request => explainContainer(context, request),
    async trace(container) {
      const { trace, name } = find(container);
      if (trace === undefined) {
        throw new EngineError(
          'conflict',
          `container ${name} was not started with the annotation mini-docker.trace, or by another daemon`,
        );
      }
      return trace;
    },
  };
}
