// --ipc: whose /dev/shm a container has.

import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * A directory of the host for /dev/shm, or undefined for a tmpfs of its own. A container that others may join
 * (`--ipc shareable`) has it below the run directory: a mount of its own could not be seen from other containers.
 * @throws conflict when the other container does not share
 */
export function shmDirectory(context: EngineContext, record: ContainerRecord): string | undefined {
  const mode = record.hostConfig.IpcMode ?? 'private';
  if (mode === 'host') return '/dev/shm';
  if (mode === 'shareable') {
    const path = shareablePath(context, record.id);
    // Everybody in the container may write to it, and nobody outside may come there.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o1777);
    return path;
  }
  const reference = /^container:(.+)$/.exec(mode)?.[1];
  if (reference === undefined) return undefined;
  const donor = context.containers.get(reference).record;
  const donorMode = donor.hostConfig.IpcMode;
  if (donorMode === 'host') return '/dev/shm';
  if (donorMode === 'shareable') return shareablePath(context, donor.id);
  throw new ExpectedError(
    'conflict',
    `cannot join IPC namespace of ${donor.name}: non-shareable IPC (hint: use --ipc shareable for it)`,
  );
}

export function removeShm(context: EngineContext, id: string): void {
  removeTreeNow(shareablePath(context, id));
}

function shareablePath(context: EngineContext, id: string): string {
  return join(context.paths.runDir, 'shm', id);
}
