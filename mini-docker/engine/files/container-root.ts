// The files of a container as a program in it sees them, by one descriptor: through /proc while it runs, with all that
// is mounted in it; else as a mount of our own that nobody else sees.

import { closeSync, openSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';
import { O } from '../../linux/constants.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { EngineContext } from '../state/context.ts';
import { type Owner, ownersInContainer, ownersOnHost } from '../state/id-mappings.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { RecordMount } from '../state/record.ts';
import { openRootOf } from './identities.ts';
import { layersBelow } from './init-layer.ts';

export interface ContainerRoot extends Disposable {
  fd: number;
  /** The absolute path below `fd`: a volume's file of a container that does not run is found in the volume. */
  path: string;
  /** With a user namespace: what is mounted in it, and all of it while it runs, has the host's ids. */
  owners?: { inContainer(owner: Owner): Owner; onHost(owner: Owner): Owner };
}

/**
 * `path` is the container's, absolute or not, and not resolved: do that with openInRoot(). For writing (`writable`)
 * hold the container's lock: a start in the meantime would mount the same layers a second time. `unmounted`: only what
 * its layers have, also while it runs.
 * @throws forbidden when a mount that it leads to is read-only
 */
export async function openContainerRoot(
  context: EngineContext,
  live: LiveContainer,
  options: { path: string; writable: boolean; unmounted?: boolean },
): Promise<ContainerRoot> {
  const { record } = live;
  // As Docker has it, '..' takes a name off the path before any link is followed.
  const path = posix.resolve('/', options.path) + trailing(options.path);
  if (options.writable && record.hostConfig.ReadonlyRootfs && mountAbove(record.mounts, path)?.RW !== true) {
    throw new ExpectedError('forbidden', 'container rootfs is marked read-only');
  }
  if (live.run !== undefined && !options.unmounted)
    return root(openRootOf(live.run.container.pid), path, live);
  const mount = options.unmounted ? undefined : mountAbove(record.mounts, path);
  if (mount !== undefined && mount.Type !== 'tmpfs' && !mount.filesystem) {
    if (options.writable && !mount.RW)
      throw new ExpectedError('forbidden', 'mounted volume is marked read-only');
    const below = path.slice(mount.Destination.length);
    // A file is found by its own name in its directory.
    return statSync(mount.Source).isDirectory()
      ? root(openSync(mount.Source, O.PATH), below || '/', live)
      : root(openSync(posix.dirname(mount.Source), O.PATH), `/${posix.basename(mount.Source)}${below}`, live);
  }
  const image = await context.images.get(record.imageId);
  const lowerdirs = await layersBelow(context, image);
  const { upperdir, workdir } = context.paths.container(live.id);
  return root(openMergedView({ lowerdirs, upperdir, ...(options.writable ? { workdir } : {}) }), path);
}

/** @param live whose ids are the host's there */
function root(fd: number, path: string, live?: LiveContainer): ContainerRoot {
  const host = live?.record.hostConfig ?? {};
  const [inContainer, onHost] = [ownersInContainer(host), ownersOnHost(host)];
  const owners = inContainer && onHost ? { owners: { inContainer, onHost } } : {};
  return { fd, path, ...owners, [Symbol.dispose]: () => closeSync(fd) };
}

/** '/' and '/.' say that a directory is meant, and make a link to one be followed. */
function trailing(path: string): string {
  return /(^|\/)\.$/.test(path) ? '/.' : path.endsWith('/') ? '/' : '';
}

/** The innermost mount that the path, taken literally, lies in. */
function mountAbove(mounts: RecordMount[], path: string): RecordMount | undefined {
  return mounts.findLast(({ Destination }) => path === Destination || path.startsWith(`${Destination}/`));
}
