// Engine.containers: looks up the container that a reference names, and calls the function for the request.

import { conflict } from '../formats/errors.ts';
import { attachClient } from './clients/attach.ts';
import { containerLogs } from './clients/logs.ts';
import type { ContainersApi } from './core/engine.ts';
import { notRunning } from './core/errors.ts';
import { exportContainer, getArchive, putArchive, statContainerPath } from './files/archive.ts';
import { containerChanges } from './files/changes.ts';
import { sizesOf } from './files/disk-sizes.ts';
import { commitContainer } from './images/commit.ts';
import { createContainer } from './life/create.ts';
import { explainContainer } from './life/explain.ts';
import { pauseContainer, unpauseContainer } from './life/pause.ts';
import { pruneContainers } from './life/prune.ts';
import { removeContainer } from './life/remove.ts';
import { renameContainer } from './life/rename.ts';
import { startContainer } from './life/start-container.ts';
import { killContainer, restartContainer, stopContainer } from './life/stop.ts';
import { updateContainer } from './life/update.ts';
import { waitFor } from './life/wait.ts';
import { removeLink } from './networks/links.ts';
import { inspectContainer } from './reports/inspect.ts';
import { listContainers } from './reports/list.ts';
import { securityReport } from './reports/security.ts';
import { containerStats } from './reports/stats.ts';
import { processTable } from './reports/top.ts';
import { whyReport } from './reports/why/why.ts';
import { containerEvent } from './state/container-events.ts';
import type { EngineContext } from './state/context.ts';

export function containersApi(context: EngineContext): ContainersApi {
  const find = (reference: string) => context.containers.get(reference);
  const timed = context.measures.timed.bind(context.measures);
  return {
    create: request => timed('create', () => createContainer(context, request)),
    start: container => timed('start', async () => startContainer(context, find(container))),
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
      return {
        ...(await inspectContainer(context, live)),
        ...(options.size ? await sizesOf(context, live) : {}),
      };
    },
    list: (options = {}) => listContainers(context, options),
    async top(container, psArgs = '-ef') {
      const live = find(container);
      if (live.run === undefined) throw notRunning(live.id);
      const table = await processTable(live.run.container.processes(), psArgs);
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
    changes: container => timed('changes', async () => containerChanges(context, find(container))),
    statPath: async (container, path) => statContainerPath(context, find(container), { container, path }),
    getArchive: async (container, path) => getArchive(context, find(container), { container, path }),
    putArchive: async (container, path, options) =>
      putArchive(context, find(container), { container, path, options }),
    export: async container => exportContainer(context, find(container)),
    remove: async (container, options = {}) => {
      if (options.link) return removeLink(context, container);
      return timed('delete', () => removeContainer(context, find(container), options));
    },
    prune: (filters = {}) => pruneContainers(context, filters),
    commit: (container, options) =>
      timed('commit', async () => commitContainer(context, find(container), options)),
    why: async container => whyReport(context, find(container)),
    security: async container => securityReport(find(container)),
    explain: request => explainContainer(context, request),
    async trace(container) {
      const { trace, name } = find(container);
      if (trace === undefined) {
        throw conflict(
          `container ${name} was not started with the annotation mini-docker.trace, or by another daemon`,
        );
      }
      return trace;
    },
  };
}
