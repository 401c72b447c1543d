// An engine for tests of engine/life: records and directories are real, below a temporary directory;
// programs, networks and images are in memory.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { ContainerStatus } from '../../formats/engine-api/containers.ts';
import type { EventMessage } from '../../formats/engine-api/system.ts';
import type { Image, ImageStore } from '../../images/image.ts';
import type { Networks } from '../../network/network.ts';
import { Deletions } from '../core/deletions.ts';
import { Events } from '../core/events.ts';
import { Measures } from '../core/measures.ts';
import { dataPaths } from '../core/paths.ts';
import { makeInitLayer } from '../files/init-layer.ts';
import { startContainer } from '../life/start-container.ts';
import { ContainerSet } from '../state/container-set.ts';
import type { EngineContext } from '../state/context.ts';
import { LiveContainer } from '../state/live-container.ts';
import { createRecord } from '../state/record-file.ts';
import { RecordKeeper } from '../state/record-keeper.ts';
import { VolumeStore } from '../state/volume-store.ts';
import { testFacts } from './facts.ts';
import { MemoryRuntime } from './memory-runtime.ts';
import { only } from './only.ts';
import { testRecord } from './record.ts';

type RecordOptions = Parameters<typeof testRecord>[0];

export interface MemoryEngine {
  context: EngineContext;
  runtime: MemoryRuntime;
  warnings: string[];
  /** Adds a container on disk that has not run. */
  add(options?: RecordOptions): LiveContainer;
  /** Adds a container whose program runs. */
  start(options?: RecordOptions): Promise<LiveContainer>;
  /** The events of containers so far: ['start', 'die']. */
  events(): Promise<string[]>;
  /**
   * Simulates a killed daemon: nothing more is saved, and programs keep running. The next one has its disk
   * and its processes.
   */
  next(): MemoryEngine;
}

export function memoryEngine(): MemoryEngine {
  const root = mkdtempSync(join(tmpdir(), 'mini-docker-life-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return open(root, new MemoryRuntime());
}

function open(root: string, runtime: MemoryRuntime): MemoryEngine {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const paths = dataPaths({ dataRoot: root, runDir: join(root, 'run') });
  const layer = join(root, 'layer');
  for (const directory of [paths.containers, layer]) mkdirSync(directory, { recursive: true });
  makeInitLayer(paths.initLayer, warn);
  const closing = new AbortController();
  const context: EngineContext = {
    paths,
    facts: testFacts,
    images: only<ImageStore>({
      namesLost: false,
      get: async id => ({ id, config: { os: 'linux', architecture: 'amd64' } }) as Image,
      lowerdirs: async () => [layer],
    }),
    networks: noNetworks(),
    runtime,
    containers: new ContainerSet(),
    defaults: { lxcfs: false },
    settings: { debug: false, labels: [], registries: {}, keepContainers: true, shutdownTimeout: 15 },
    events: new Events(),
    measures: new Measures(),
    deletions: new Deletions(warn),
    records: new RecordKeeper({ paths, warn }),
    volumes: new VolumeStore(paths.volumes, warn),
    warn,
    tell: warn,
    troubles: () => warnings,
    closing: closing.signal,
  };
  onTestFinished(() => {
    closing.abort();
    for (const { restartTimer } of context.containers) clearTimeout(restartTimer);
    return context.deletions.settled();
  });
  const add = (options: RecordOptions = {}) => {
    const record = testRecord(options);
    createRecord(paths, record);
    const live = new LiveContainer(record);
    context.containers.add(live);
    return live;
  };
  return {
    context,
    runtime,
    warnings,
    add,
    async start(options) {
      const live = add(options);
      await startContainer(context, live);
      return live;
    },
    events: () => pastEvents(context.events),
    next() {
      closing.abort();
      return open(root, runtime);
    },
  };
}

async function pastEvents(events: Events): Promise<string[]> {
  const past: EventMessage[] = [];
  const until = BigInt(Date.now() + 1) * 1_000_000n;
  for await (const each of events.subscribe({ since: 0n, until, filters: { type: ['container'] } })) {
    past.push(each);
  }
  return past.map(each => each.Action);
}

/** Networks without any containers. */
function noNetworks(): Networks {
  const nowhere = { interface: '', ipAddress: '', ipPrefixLen: 0, gateway: '', macAddress: '' };
  return only<Networks>({
    attach: async ({ network }) => ({
      networkId: '',
      networkName: network,
      endpointId: '',
      ...nowhere,
      ipv6Address: '',
      ipv6PrefixLen: 0,
      ipv6Gateway: '',
      dnsNames: [],
    }),
    adopt: async () => {},
    detach: async () => {},
    endpoints: () => [],
    moveTo: () => {},
    sandboxKey: () => '',
  });
}

/** Resolves when the container has reached this state. */
export async function becomes(live: LiveContainer, status: ContainerStatus): Promise<void> {
  while (live.record.state.status !== status) await sleep(2);
}
