// Recovery when the daemon starts: takes over running containers with their streams, handles exits that
// happened without a daemon, and removes containers that were half made or half removed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExpectedError } from '../../formats/errors.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import { sweep } from '../../linux/kept-file.ts';
import { removeTree } from '../../linux/remove-tree.ts';
import type { Container } from '../../runtime/container.ts';
import { reconcileNetworks, runningOnNetworks } from '../networks/connections.ts';
import { namespacePid } from '../networks/owner.ts';
import { cgroupsPath } from '../spec/spec.ts';
import { lostSpec } from '../state/broken-record.ts';
import type { EngineContext } from '../state/context.ts';
import { type Held, LiveContainer } from '../state/live-container.ts';
import { loadRecords } from '../state/record-file.ts';
import { readStarted } from '../state/started-file.ts';
import { readPosition } from '../streams/log-position.ts';
import { positionPath } from '../streams/output.ts';
import { handleExit, scheduleRestart } from './exit.ts';
import { watchHealth } from './health.ts';
import { recoverImageNames } from './image-names.ts';
import { removeHeld } from './removal.ts';
import { endedRun, shouldStartWithDaemon } from './restart-policy.ts';
import { openOutput, readSpec, startRun } from './start.ts';
import { awaitRestart, lost, prepared, running, startAsked } from './transitions.ts';

/** Exit code of a process whose daemon died before releasing it to run its program (linux/program.ts). */
const NEVER_STARTED = 125;

export async function recover(context: EngineContext): Promise<void> {
  const { containers, paths } = context;
  // Containers with intact records get their names first.
  const records = loadRecords(paths, context.tell).sort((a, b) => Number(!!a.broken) - Number(!!b.broken));
  for (const record of records) {
    try {
      containers.reserveName(record.name, record.id);
    } catch (error) {
      // The name is taken or invalid.
      if (!(error instanceof ExpectedError)) throw error;
      const name = `${record.name}-${record.id.slice(0, 12)}`;
      context.tell(`container ${record.id} is called ${name} now: ${error.message}`);
      record.name = containers.reserveName(name, record.id);
    }
    containers.add(new LiveContainer(record));
  }
  if (context.images.namesLost) await recoverImageNames(context);
  for (const live of [...containers])
    await withoutFail(context, live, async () => {
      using held = await live.hold();
      await adopt(context, held);
    });
  sweepRunDirectory(context);
  await context.networks.adopt(
    [...containers].flatMap(live => {
      const pid = namespacePid(context, live);
      return pid === undefined ? [] : [runningOnNetworks(context, live.record, pid)];
    }),
  );
  for (const { id, record } of containers) reconcileNetworks(record, context.networks.endpoints(id));
  for (const live of containers) {
    if (live.run === undefined) continue;
    watchHealth(context, live, live.run);
    handleExit(context, live, live.run);
  }
  for (const live of [...containers]) await withoutFail(context, live, () => settle(context, live));
}

/** Limits an unforeseen error to the one container. */
async function withoutFail(
  context: EngineContext,
  live: LiveContainer,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.tell(`container ${live.name} cannot be taken over: ${(error as Error).message}`);
  }
}

/** Finds the container's processes, or the record of its exit. */
async function adopt(context: EngineContext, held: Held): Promise<void> {
  const { live } = held;
  const { record } = live;
  const { state } = record;
  const { run: directory } = context.paths.container(live.id);
  const spec = readSpec(directory, why => {
    context.tell(`container ${live.name} can only be stopped: ${why}`);
    return lostSpec(cgroupsPath(record));
  });
  const container =
    spec === undefined
      ? undefined
      : await context.runtime.adopt({ id: live.id, directory, spec }).catch((error: Error) => {
          context.warn(`container ${live.name}: cannot be taken over: ${error.message}`);
          return undefined;
        });
  const started = readStarted(directory);
  if (container === undefined || spec === undefined) {
    // The record, which is written a little later, does not have this yet.
    const isNewer = started !== undefined && started.startedAt !== state.startedAt;
    const ran = isNewer || state.status === 'running' || state.status === 'paused';
    // A daemon that was killed early in a start has left no spec.
    if (ran || (spec === undefined && existsSync(directory))) await discard(context, live);
    return lose(context, held, ran ? (started ?? state).startedAt : undefined);
  }
  live.unmounted = container.unmounted;
  if (started === undefined && (await neverRan(container))) {
    // The daemon was killed during this start; no client was told that the container runs.
    await container.delete();
    await removeTree(directory);
    const ran = state.status === 'running' || state.status === 'paused';
    return lose(context, held, ran ? state.startedAt : undefined);
  }
  const output = openOutput(context, live, container, readPosition(positionPath(directory))?.log);
  const startedAt = started?.startedAt ?? encodeTimestamp(nowNanoseconds());
  const wasPaused = state.status === 'paused' && state.startedAt === startedAt;
  prepared(held, { container, spec, output, startedAt: Date.parse(startedAt) });
  if (started) record.networks = started.networks;
  if (started?.ports) record.ports = started.ports;
  running(held, { startedAt, paused: wasPaused });
  await freezeAsRecorded(context, container, wasPaused);
  context.records.saveLater(record);
}

/** A daemon that is killed during a commit leaves the container frozen; during an unpause, it may leave it thawed. */
async function freezeAsRecorded(
  context: EngineContext,
  container: Container,
  paused: boolean,
): Promise<void> {
  if (context.facts.noLimits !== undefined) return;
  try {
    await (paused ? container.pause() : container.resume());
  } catch (error) {
    context.warn(`container ${container.id.slice(0, 12)}: ${(error as Error).message}`);
  }
}

/**
 * The run directory was deleted under the container: a process that cannot be managed must not keep
 * running.
 */
async function discard(context: EngineContext, live: LiveContainer): Promise<void> {
  const { run: directory } = context.paths.container(live.id);
  try {
    await context.runtime.discard({ directory, cgroupsPath: cgroupsPath(live.record) });
  } catch (error) {
    context.warn(`container ${live.name}: ${(error as Error).message}`);
  }
}

/** Whether its process exited without running the program, or is about to. */
async function neverRan(container: Container): Promise<boolean> {
  // A process that still waits for its daemon sees the end of the pipe immediately.
  const exit = await Promise.race([container.exited, sleep(50)]);
  return exit?.code === NEVER_STARTED;
}

/** @param startedAt the start of its last run, if the end of that run was not recorded */
function lose(context: EngineContext, held: Held, startedAt: string | undefined): void {
  const { record } = held.live;
  if (startedAt === undefined && record.state.status !== 'restarting') return;
  lost(held, startedAt);
  context.records.saveState(record);
}

/** Starts containers that are to run with the daemon, and removes those with --rm. */
async function settle(context: EngineContext, live: LiveContainer): Promise<void> {
  const { state, hostConfig } = live.record;
  if (live.run !== undefined || live.removed) return;
  using held = await live.hold();
  if (live.run !== undefined || live.removed) return;
  if (!state.startedBefore) return;
  if (hostConfig.AutoRemove) return await removeHeld(context, held, { volumes: true });
  if (!shouldStartWithDaemon(endedRun(live.record))) return;
  startAsked(held);
  try {
    await startRun(context, held, handleExit);
  } catch (error) {
    context.warn(`container ${live.name}: cannot be started with the daemon: ${(error as Error).message}`);
    awaitRestart(held);
    scheduleRestart(context, held, 0);
  }
}

/** Deletes the directories of removed containers. */
function sweepRunDirectory({ containers, paths, tell }: EngineContext): void {
  const running = new Set([...containers].filter(each => each.run !== undefined).map(each => each.id));
  for (const kind of ['containers', 'shm'])
    sweep(join(paths.runDir, kind), { unwanted: name => !running.has(name), tell });
}
