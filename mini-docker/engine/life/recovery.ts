// The daemon starts: what an earlier one left is found again. Containers that run are taken over with their streams,
// ends that nobody saw are dealt with now, half-made and half-removed ones are gone.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import type { Container } from '../../runtime/container.ts';
import { disconnected } from '../networks/connections.ts';
import { namespacePid } from '../networks/owner.ts';
import { cgroupsPath } from '../spec/spec.ts';
import type { EngineContext } from '../state/context.ts';
import { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import { loadRecords } from '../state/record-file.ts';
import { readStarted } from '../state/started-file.ts';
import { readPosition } from '../streams/log-position.ts';
import { positionPath } from '../streams/output.ts';
import { handleExit, scheduleRestart } from './exit.ts';
import { removeLocked } from './removal.ts';
import { shouldStartWithDaemon } from './restart-policy.ts';
import { openOutput, readSpec, startRun } from './start.ts';

/** The exit code of a process that saw its daemon go before it was let run its program (linux/program.ts). */
const NEVER_STARTED = 125;

export async function recover(context: EngineContext): Promise<void> {
  const { containers, paths } = context;
  for (const record of loadRecords(paths, context.warn)) {
    const live = new LiveContainer(record);
    try {
      containers.reserveName(record.name, record.id);
    } catch {
      context.warn(`container ${record.id} is left alone: another one is called ${record.name}, too`);
      continue;
    }
    containers.add(live);
  }
  for (const live of [...containers]) await adopt(context, live);
  sweepRunDirectory(context);
  await context.networks.adopt(
    [...containers].flatMap(live => {
      const pid = namespacePid(context, live);
      return pid === undefined ? [] : [{ containerId: live.id, pid }];
    }),
  );
  for (const { id, record } of containers) {
    if (context.networks.endpoints(id).length === 0) forgetConnections(record);
  }
  for (const live of containers) if (live.run !== undefined) handleExit(context, live, live.run);
  for (const live of [...containers]) await settle(context, live);
}

function forgetConnections(record: ContainerRecord): void {
  for (const [name, settings] of Object.entries(record.networks))
    record.networks[name] = disconnected(settings);
  delete record.ports;
}

/** Finds the container's processes, or what they left. */
async function adopt(context: EngineContext, live: LiveContainer): Promise<void> {
  const { state } = live.record;
  const { run: directory } = context.paths.container(live.id);
  const spec = readSpec(directory);
  const container =
    spec === undefined
      ? undefined
      : await context.runtime.adopt({ id: live.id, directory, spec }).catch((error: Error) => {
          context.warn(`container ${live.name}: cannot be taken over: ${error.message}`);
          return undefined;
        });
  const started = readStarted(directory);
  if (container === undefined || spec === undefined) {
    const { startedAt } = started ?? state;
    // Its record would have been written a little later.
    if (startedAt !== state.startedAt)
      Object.assign(state, { status: 'running', startedAt, startedBefore: true });
    if (state.status === 'running' || state.status === 'paused') await discard(context, live);
    return lose(context, live);
  }
  if (started === undefined && (await neverRan(container))) {
    // The daemon was killed while it started it; no client was told that it runs.
    await container.delete();
    rmSync(directory, { recursive: true, force: true });
    return lose(context, live);
  }
  const output = openOutput(context, live, container, readPosition(positionPath(directory))?.log);
  live.run = { container, spec, output, startedAt: Date.parse(started?.startedAt ?? '') || Date.now() };
  const startedAt = started?.startedAt ?? encodeTimestamp(nowNanoseconds());
  const status = state.status === 'paused' && state.startedAt === startedAt ? 'paused' : 'running';
  Object.assign(
    live.record,
    started && { networks: started.networks },
    started?.ports && { ports: started.ports },
  );
  Object.assign(state, { status, pid: container.pid, error: '', startedAt, startedBefore: true });
  context.records.saveLater(live.record);
}

/** Somebody cleared the run directory under it: what we cannot manage must not run on behind our back. */
async function discard(context: EngineContext, live: LiveContainer): Promise<void> {
  const { run: directory } = context.paths.container(live.id);
  try {
    await context.runtime.discard({ directory, cgroupsPath: cgroupsPath(live.record) });
  } catch (error) {
    context.warn(`container ${live.name}: ${(error as Error).message}`);
  }
}

/** Whether its process ended before it was let run, or is about to. */
async function neverRan(container: Container): Promise<boolean> {
  // One that still waits for its daemon sees the end of the pipe at once.
  const exit = await Promise.race([
    container.exited,
    new Promise<undefined>(resolve => setTimeout(resolve, 50, undefined)),
  ]);
  return exit?.code === NEVER_STARTED;
}

/** Nothing of it is left: after a reboot, or when somebody cleared the run directory. */
function lose(context: EngineContext, live: LiveContainer): void {
  const { state } = live.record;
  if (state.status === 'created' || state.status === 'exited' || state.status === 'dead') return;
  const wasRunning = state.status === 'running' || state.status === 'paused';
  if (wasRunning) {
    Object.assign(state, {
      exitCode: 255,
      error: 'the exit code is not known: it ended while no daemon ran',
    });
    Object.assign(state, { exitUnknown: true, finishedAt: encodeTimestamp(BigInt(Date.now()) * 1_000_000n) });
  }
  Object.assign(state, { status: 'exited', pid: 0 });
  context.records.saveState(live.record);
}

/** Starts what is to run with the daemon, and removes what was to be removed at its end. */
async function settle(context: EngineContext, live: LiveContainer): Promise<void> {
  const { state, hostConfig } = live.record;
  if (live.run !== undefined || live.removed) return;
  using _held = await live.lock.acquire();
  if (live.run !== undefined || live.removed) return;
  if (hostConfig.AutoRemove && state.startedBefore) return removeLocked(context, live, { volumes: true });
  const restarts =
    state.startedBefore &&
    shouldStartWithDaemon({
      policy: hostConfig.RestartPolicy,
      exitCode: state.exitCode,
      manuallyStopped: state.manuallyStopped,
      restartCount: state.restartCount,
    });
  if (!restarts) return;
  state.manuallyStopped = false;
  try {
    await startRun(context, live, handleExit);
  } catch (error) {
    context.warn(`container ${live.name}: cannot be started with the daemon: ${(error as Error).message}`);
    state.status = 'restarting';
    scheduleRestart(context, live, 0);
  }
}

/** Directories of containers that are no more. */
function sweepRunDirectory(context: EngineContext): void {
  for (const kind of ['containers', 'shm']) {
    const directory = join(context.paths.runDir, kind);
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch {
      continue;
    }
    for (const name of names) {
      const live = context.containers.find(name);
      if (live?.run === undefined) rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
}
