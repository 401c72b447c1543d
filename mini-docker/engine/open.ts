// Wires the engine together, and recovers the containers of an earlier daemon.

import { join } from 'node:path';
import type { ContainerDefaults, Reloadable } from '../daemon/options.ts';
import type { ImageStore } from '../images/image.ts';
import { ensureDirectory } from '../linux/kept-file.ts';
import type { Networks } from '../network/network.ts';
import type { Runtime } from '../runtime/container.ts';
import { openBuilds } from './builds/builds.ts';
import { execsApi } from './clients/exec.ts';
import { containersApi } from './containers.ts';
import { Deletions } from './core/deletions.ts';
import type { Engine } from './core/engine.ts';
import { Events } from './core/events.ts';
import { readHostFacts } from './core/host-facts.ts';
import { Measures } from './core/measures.ts';
import { dataPaths } from './core/paths.ts';
import { makeInitLayer } from './files/init-layer.ts';
import { imagesApi } from './images/images.ts';
import { manifestsApi } from './images/manifests.ts';
import { recover } from './life/recovery.ts';
import { stopAllContainers } from './life/shutdown.ts';
import { networksApi } from './networks/api.ts';
import { diskUsage } from './reports/disk-usage.ts';
import { systemInfo, systemVersion } from './reports/info.ts';
import { metrics } from './reports/metrics.ts';
import { viewMachine } from './reports/view.ts';
import { checkHostDefaults } from './spec/host-defaults.ts';
import { ContainerSet } from './state/container-set.ts';
import type { EngineContext } from './state/context.ts';
import { engineId } from './state/engine-id.ts';
import { RecordKeeper } from './state/record-keeper.ts';
import { VolumeStore } from './state/volume-store.ts';
import { volumesApi } from './volumes/api.ts';

export interface EngineOptions {
  dataRoot: string;
  runDir: string;
  images: ImageStore;
  networks: Networks;
  runtime: Runtime;
  defaults: ContainerDefaults;
  /** The caller changes it when the daemon reads its configuration again. */
  settings: Reloadable;
  /** Writes a line to the daemon's log. */
  warn(message: string): void;
  /** The same, for problems on disk (unreadable or undeletable files), which `troubles` lists. */
  tell(trouble: string): void;
  troubles(): string[];
}

/** The states of a container that runs, as `info` counts them, and of one that is paused. */
const LIVE: ReadonlySet<string> = new Set(['running', 'restarting', 'paused']);

/** The caller ensures that only one engine uses a data root and a run directory (daemon-lock.ts). */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { dataRoot, runDir, images, networks, runtime, warn, tell, troubles } = options;
  const closing = new AbortController();
  const paths = dataPaths({ dataRoot, runDir });
  const facts = readHostFacts();
  checkHostDefaults(facts, options.defaults);
  const context: EngineContext = {
    defaults: options.defaults,
    settings: options.settings,
    paths,
    facts,
    images,
    networks,
    runtime,
    containers: new ContainerSet(),
    events: new Events(),
    measures: new Measures(),
    deletions: new Deletions(tell),
    records: new RecordKeeper({ paths, warn }),
    volumes: new VolumeStore(paths.volumes, tell),
    warn,
    tell,
    troubles,
    closing: closing.signal,
  };
  if (facts.apparmorProblem !== undefined) tell(facts.apparmorProblem);
  for (const each of ['containers', 'shm', 'rootfs'])
    ensureDirectory(join(runDir, each), { mode: 0o711, tell });
  makeInitLayer(context.paths.initLayer, tell);
  await recover(context);
  const builds = await openBuilds(context);
  await images.collectInterrupted();
  const id = engineId(dataRoot, tell);
  return {
    containers: containersApi(context),
    execs: execsApi(context),
    images: imagesApi(context),
    manifests: manifestsApi(context),
    networks: networksApi(context),
    volumes: volumesApi(context),
    builds: builds.api,
    system: {
      events: request => context.events.subscribe(request),
      info: () => systemInfo(context, id),
      running: () => [...context.containers].filter(each => LIVE.has(each.record.state.status)).length,
      version: () => systemVersion(context),
      metrics: () => metrics(context),
      view: options => viewMachine(context, options),
      reloaded: () => context.events.emit('daemon', 'reload', reloadActor(context, id)),
      countRequest: (method, status) => context.measures.countRequest(method, status),
      diskUsage: async () => ({ ...(await diskUsage(context)), BuildCache: builds.usage() }),
    },
    stopContainers: seconds => stopAllContainers(context, seconds),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      context.events.close();
      for (const live of context.containers) {
        clearTimeout(live.restartTimer);
        for (const client of [...live.clients]) client.end();
        live.run?.output.close({ ended: false });
      }
      context.records.flush();
      await context.deletions.settled();
    },
  };
}

/** As dockerd's event has them. */
function reloadActor({ facts, settings }: EngineContext, id: string) {
  const { debug, labels, registries, keepContainers, shutdownTimeout } = settings;
  const list = (texts: readonly string[] | undefined) => JSON.stringify(texts ?? []);
  const attributes = {
    name: facts.hostname,
    debug: String(debug),
    labels: list(labels),
    'live-restore': String(keepContainers),
    'insecure-registries': list(registries.insecure),
    'registry-mirrors': list(registries.mirrors),
    'max-concurrent-downloads': String(registries.maxDownloads ?? 3),
    'max-concurrent-uploads': String(registries.maxUploads ?? 5),
    'max-download-attempts': String(registries.maxAttempts ?? 5),
    'shutdown-timeout': String(shutdownTimeout),
  };
  return { id, attributes };
}
