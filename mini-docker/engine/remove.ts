// Removing a container: out of sight by one rename, then its files. A daemon that is killed in between sweeps the rest
// away when it starts.

import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SIG } from '../linux/constants.ts';
import { containerEvent } from './container-events.ts';
import type { EngineContext } from './context.ts';
import { EngineError } from './errors.ts';
import { cancelRestart } from './exit.ts';
import type { LiveContainer } from './live-container.ts';
import { retireRecord } from './record-file.ts';
import { endContainer } from './stop.ts';
import { removeAnonymousVolumes } from './volumes.ts';

export interface RemoveOptions {
  force?: boolean;
  volumes?: boolean;
}

export async function removeContainer(
  context: EngineContext,
  live: LiveContainer,
  options: RemoveOptions,
): Promise<void> {
  if (live.removing) {
    throw new EngineError('conflict', `removal of container ${live.name} is already in progress`);
  }
  if (live.isRunning && !options.force) {
    const { status } = live.record.state;
    const advice =
      status === 'paused' ? 'unpause and then stop the container' : 'stop the container before removing';
    throw new EngineError(
      'conflict',
      `cannot remove container "/${live.name}": container is ${status}: ${advice} or force remove`,
    );
  }
  live.removing = true;
  try {
    if (live.isRunning) {
      live.record.state.manuallyStopped = true;
      await endContainer(context, live, { signal: SIG.KILL, timeout: 0 });
    }
    using _held = await live.lock.acquire();
    if (!live.removed) await removeLocked(context, live, { volumes: options.volumes === true });
  } catch (error) {
    live.removing = false;
    throw error;
  }
}

/** The caller holds the lock; the program does not run. */
export async function removeLocked(
  context: EngineContext,
  live: LiveContainer,
  options: { volumes: boolean },
): Promise<void> {
  const { record } = live;
  live.removing = true;
  cancelRestart(live);
  const before = record.state.status;
  record.state.status = 'removing';
  let retired: string;
  try {
    retired = retireRecord(context.paths, live.id);
  } catch (error) {
    record.state.status = before;
    live.removing = false;
    throw error;
  }
  if (options.volumes) removeAnonymousVolumes(record, context.containers);
  context.containers.delete(live);
  for (const client of [...live.clients]) client.end();
  await removeFiles(retired);
  live.tellRemoval();
  containerEvent(context, live, 'destroy');
}

/** Nearly always there are a few small files: removing them at once is faster than any waiting. */
async function removeFiles(directory: string): Promise<void> {
  try {
    rmdirSync(join(directory, 'upper'));
  } catch {
    await rm(join(directory, 'upper'), { recursive: true, force: true });
  }
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
  rmdirSync(directory);
}
