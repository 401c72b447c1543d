// Starts a container: from its directory on disk to a running program.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, unavailable } from '../../formats/errors.ts';
import type { NamespaceType, Spec } from '../../formats/oci/runtime-spec.ts';
import { anyObject, array, object, parse, parseObject, string, strings } from '../../formats/schema.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import { descriptorsRunOut } from '../../linux/descriptor-room.ts';
import { readRegular } from '../../linux/kept-file.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { removeTree, removeTreeNow } from '../../linux/remove-tree.ts';
import type { Container } from '../../runtime/container.ts';
import { storedIdentity } from '../files/identities.ts';
import { layersBelow } from '../files/init-layer.ts';
import { shmDirectory } from '../files/shared-memory.ts';
import { mountParts } from '../files/subpaths.ts';
import { connectNetworks, disconnectNetworks } from '../networks/connections.ts';
import { etcFiles, fillEtcFiles, makeEtcFiles, tellLinked } from '../networks/etc-files.ts';
import { checkLinks, linkedVariables } from '../networks/links.ts';
import { sharers } from '../networks/owner.ts';
import { allDevices, grantedDevices } from '../spec/devices.ts';
import { decodeLogOptions } from '../spec/log-options.ts';
import { lxcfsMounts, wantsLxcfs } from '../spec/lxcfs.ts';
import { buildSpec } from '../spec/spec.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { Held, LiveContainer, Run } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import { programError } from '../state/start-errors.ts';
import { writeStarted } from '../state/started-file.ts';
import { LogFile, type LogPosition } from '../streams/log-file.ts';
import { ContainerOutput } from '../streams/output.ts';
import { checkPropagation, makeBindSources, mountEvents } from '../volumes/volumes.ts';
import { watchHealth } from './health.ts';
import { prepared, running, startFailed } from './transitions.ts';

/** The annotation that asks to trace the start: the result and time of each step. */
export const TRACE_ANNOTATION = 'mini-docker.trace';

/**
 * Starts a container that the caller knows is not running. When it rejects, nothing is left behind.
 * @param whenPrepared handles the end of the run, in the background
 */
export async function startRun(
  context: EngineContext,
  held: Held,
  whenPrepared: (context: EngineContext, live: LiveContainer, run: Run) => void,
): Promise<void> {
  const { live } = held;
  const { record } = live;
  const { run: directory } = context.paths.container(live.id);
  checkDescriptors();
  let container: Container | undefined;
  let output: ContainerOutput | undefined;
  let run: Run;
  let startedAt: string;
  await live.unmounted;
  try {
    makeBindSources(record);
    checkPropagation(record);
    checkLinks(context, record);
    makeEmpty(directory);
    const { spec, layers } = await prepareSpec(context, record);
    container = await context.runtime.create({
      id: live.id,
      directory,
      spec,
      rootfs: layers,
      stdin: record.config.OpenStdin === true,
      init: record.hostConfig.Init === true,
      trace: record.hostConfig.Annotations?.[TRACE_ANNOTATION] !== undefined,
      onNamespaces: async pid => {
        writeFileSync(specPath(directory), JSON.stringify(spec), { mode: 0o600 });
        await connectNetworks(context, record, pid);
        fillEtcFiles(context, record);
      },
    });
    live.unmounted = container.unmounted;
    output = openOutput(context, live, container);
    run = { container, spec, output, startedAt: Date.now() };
    prepared(held, run);
    for (const client of live.clients) client.connect({ output, stdin: container.stdin });
    // Taken before: a client that reads the logs since this time must find the program's first line.
    startedAt = encodeTimestamp(nowNanoseconds());
    // While its process makes its mounts.
    whenPrepared(context, live, run);
    await container.start();
    live.trace = container.trace();
  } catch (cause) {
    live.trace = container?.trace();
    output?.close({ ended: true });
    await container?.delete();
    await disconnectNetworks(context, record);
    await removeTree(directory);
    for (const client of [...live.clients]) client.end();
    const error = programError(cause, record);
    startFailed(held, { error: error.message, exitCode: error.exitCode ?? 128 });
    context.records.saveState(record);
    throw error;
  }
  running(held, { startedAt });
  writeStarted(directory, record);
  context.records.saveLater(record);
  mountEvents(context, record, 'mount');
  containerEvent(context, live, 'start');
  watchHealth(context, live, run);
  tellLinked(context, live);
}

function checkDescriptors(): void {
  if (!descriptorsRunOut()) return;
  throw unavailable(
    'the daemon has too many open files for another container: stop some, or raise its limit (LimitNOFILE, ulimit -n)',
  );
}

/** Does all look-ups for the start, and writes them down as the runtime's input. */
export async function prepareSpec(context: EngineContext, record: ContainerRecord) {
  const { hostConfig } = record;
  const paths = context.paths.container(record.id);
  const image = await context.images.get(record.imageId);
  const lowerdirs = await layersBelow(context, image);
  const layers = { lowerdirs, upperdir: paths.upperdir, workdir: paths.workdir };
  makeEtcFiles(context, record);
  const shm = shmDirectory(context, record);
  const spec = buildSpec({
    record,
    facts: context.facts,
    user: storedIdentity(record, layers),
    rootfs: join(context.paths.runDir, 'rootfs'),
    etcFiles: etcFiles(context, record),
    parts: await mountParts(context, record),
    ...(shm === undefined ? {} : { shmDirectory: shm }),
    ...(wantsLxcfs(hostConfig) ? { lxcfs: lxcfsMounts() } : {}),
    joined: joinedPids(context, record),
    linked: linkedVariables(context, record),
    granted: hostConfig.Privileged ? [] : (hostConfig.Devices ?? []).flatMap(grantedDevices),
    hostDevices: hostConfig.Privileged ? allDevices() : [],
  });
  return { spec, layers };
}

function makeEmpty(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o711 });
  } catch {
    // Leftovers of an earlier run.
    removeTreeNow(directory);
    makeDirectories(directory, 0o711);
  }
}

/** `from`: the position in the log where an earlier daemon stopped. */
export function openOutput(
  context: EngineContext,
  live: LiveContainer,
  container: Container,
  from?: LogPosition,
): ContainerOutput {
  const paths = context.paths.container(live.id);
  const { keeps, maxSize, maxFiles } = decodeLogOptions(live.record.hostConfig);
  const warn = (message: string) => context.warn(`container ${live.name}: ${message}`);
  const options = { path: paths.log, maxFiles, warn, ...(maxSize === undefined ? {} : { maxSize }) };
  const log = keeps ? new LogFile(options, from) : undefined;
  return new ContainerOutput({ descriptors: container.outputs, directory: paths.run, log, warn });
}

export function joinedPids(
  context: EngineContext,
  record: ContainerRecord,
): Partial<Record<NamespaceType, number>> {
  const { NetworkMode, PidMode, IpcMode } = record.hostConfig;
  const modes: [NamespaceType, string | undefined][] = [
    ['network', NetworkMode],
    ['pid', PidMode],
    ['ipc', IpcMode],
  ];
  const joined: Partial<Record<NamespaceType, number>> = {};
  // Other containers are still in its former namespace: it joins them there.
  const keeper = sharers(context, record.id)[0]?.run;
  if (keeper !== undefined) joined.network = keeper.container.pid;
  for (const [type, mode] of modes) {
    const reference = /^container:(.+)$/.exec(mode ?? '')?.[1];
    if (reference === undefined) continue;
    const other = context.containers.get(reference);
    if (other.id === record.id) throw conflict(`cannot join own ${type} namespace`);
    if (other.run === undefined || other.record.state.status !== 'running') {
      throw conflict(`cannot join ${type} namespace of a non running container: ${other.name}`);
    }
    joined[type] = other.run.container.pid;
  }
  return joined;
}

export function specPath(directory: string): string {
  return join(directory, 'spec.json');
}

/** The fields of a stored spec that are read again. */
const storedSpec = object(
  {},
  {
    process: object({}, { args: strings }),
    mounts: array(anyObject),
    linux: object({}, { cgroupsPath: string }),
  },
);

/** The spec with which an earlier daemon started the container; undefined when it was never written. */
export function readSpec(directory: string, lost: (why: string) => Spec): Spec | undefined {
  try {
    const bytes = readRegular(specPath(directory));
    parse(bytes, 'spec.json', storedSpec);
    return parseObject(bytes, 'spec.json') as unknown as Spec;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : lost(message);
  }
}
