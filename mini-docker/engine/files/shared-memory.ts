// --ipc: selects the /dev/shm of a container.

import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { conflict } from '../../formats/errors.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * The host directory for /dev/shm, or undefined for a private tmpfs. A container that others may join (`--ipc
 * shareable`) has it below the run directory, since other containers could not see a mount in its namespace.
 * @throws conflict when the other container is not shareable
 */
export function shmDirectory(context: EngineContext, record: ContainerRecord): string | undefined {
  const mode = record.hostConfig.IpcMode ?? 'private';
  if (mode === 'host') return '/dev/shm';
  if (mode === 'shareable') {
    const path = shareablePath(context, record.id);
    // All users of the container may write to it, and no process outside may reach it.
    makeDirectories(dirname(path), 0o700);
    makeDirectories(path);
    chmodSync(path, 0o1777);
    return path;
  }
  const reference = /^container:(.+)$/.exec(mode)?.[1];
  if (reference === undefined) return undefined;
  const donor = context.containers.get(reference).record;
  const donorMode = donor.hostConfig.IpcMode;
  if (donorMode === 'host') return '/dev/shm';
  if (donorMode === 'shareable') return shareablePath(context, donor.id);
  throw conflict(
    `cannot join IPC namespace of ${donor.name}: non-shareable IPC (hint: use --ipc shareable for it)`,
  );
}

export function removeShm(context: EngineContext, id: string): void {
  removeTreeNow(shareablePath(context, id));
}

function shareablePath(context: EngineContext, id: string): string {
  return join(context.paths.runDir, 'shm', id);
}
