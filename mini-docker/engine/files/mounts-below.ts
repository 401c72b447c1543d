// The mounts below a path of a container that does not run, for `cp`: Docker mounts them for each copy, and makes
// missing mount points in the container. Here the archive takes the files of the mounts in their places.

import { closeSync, existsSync } from 'node:fs';
import { posix } from 'node:path';
import { call } from '../../linux/call.ts';
import { O } from '../../linux/constants.ts';
import { makeDirectoriesInRoot, openInRoot, withFd } from '../../linux/in-root.ts';
import { mayFail } from '../../linux/step.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { openat } from '../../linux/syscalls.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { RecordMount } from '../state/record.ts';
import { mountsFound, openContainerRoot, openMountSource } from './container-root.ts';

/** Those of directories and files of the host, outer ones first; none while the container runs. */
function mountsBelow(context: EngineContext, live: LiveContainer, path: string): RecordMount[] {
  if (live.run !== undefined) return [];
  const above = posix.join(posix.resolve('/', path), '/');
  return mountsFound(context, live).filter(
    ({ Type, filesystem, Source, Destination }) =>
      Destination.startsWith(above) &&
      Type !== 'tmpfs' &&
      filesystem === undefined &&
      (Type === 'image' || existsSync(Source)),
  );
}

/** Makes the missing mount points below the path. The start makes those that cannot be made here. */
export async function makeMountPoints(
  context: EngineContext,
  live: LiveContainer,
  path: string,
): Promise<void> {
  const below = mountsBelow(context, live, path);
  if (below.length === 0 || live.record.hostConfig.ReadonlyRootfs) return;
  using view = await openContainerRoot(context, live, { path: '/', writable: false });
  const missing = below.filter(({ Destination }) => !isThere(view.fd, Destination));
  if (missing.length === 0) return;
  using _held = await live.hold();
  if (live.run !== undefined) return;
  using root = await openContainerRoot(context, live, { path: '/', writable: true });
  for (const mount of missing) {
    const { directory, name } = await openMountSource(context, mount);
    closeSync(directory);
    try {
      if (name === '.') closeSync(makeDirectoriesInRoot(root.fd, mount.Destination));
      else makeFile(root.fd, mount.Destination);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

function makeFile(root: number, path: string): void {
  withFd(makeDirectoriesInRoot(root, posix.dirname(path)), parent => {
    const flags = O.CREAT | O.EXCL | O.WRONLY | O.CLOEXEC;
    const fd = call(mayFail(openat(parent, posix.basename(path), flags, 0o755), 'EEXIST'));
    if (fd >= 0) closeSync(fd);
  });
}

function isThere(root: number, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, O.PATH));
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

/**
 * The files that replace mount points in the archive of `path`, by their name there.
 * @param as the name of the path itself in the archive: '' for the root
 */
export async function openGrafts(
  context: EngineContext,
  live: LiveContainer,
  { path, as, held }: { path: string; as: string; held: DisposableStack },
): Promise<ReadonlyMap<string, { directory: number; name: string }>> {
  const grafts = new Map<string, { directory: number; name: string }>();
  const above = posix.join(posix.resolve('/', path), '/');
  for (const mount of mountsBelow(context, live, path)) {
    const source = await openMountSource(context, mount);
    held.adopt(source.directory, closeSync);
    grafts.set(posix.join(as, mount.Destination.slice(above.length)), source);
  }
  return grafts;
}
