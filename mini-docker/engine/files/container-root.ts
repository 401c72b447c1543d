// A container's files as its programs see them, by one descriptor: through /proc, with all its mounts, while
// it runs; else through a detached mount of its layers, which is visible nowhere.

import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { forbidden } from '../../formats/errors.ts';
import { O } from '../../linux/constants.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { EngineContext } from '../state/context.ts';
import { type Owner, ownersInContainer, ownersOnHost } from '../state/id-mappings.ts';
import type { LiveContainer, Run } from '../state/live-container.ts';
import type { RecordMount } from '../state/record.ts';
import { openRootOf } from './identities.ts';
import { layersBelow } from './init-layer.ts';
import { type MountSource, mountAbove, resolveAcrossMounts } from './links-across-mounts.ts';
import { openMounted } from './subpaths.ts';

export interface ContainerRoot extends Disposable {
  fd: number;
  /**
   * Absolute path below `fd`. For a stopped container, the path of a volume's file is a path in the
   * volume.
   */
  path: string;
  /**
   * Translations of owners for a container with a user namespace: its mounts, and all its files while it
   * runs, have the host's ids.
   */
  owners?: { inContainer(owner: Owner): Owner; onHost(owner: Owner): Owner };
}

/**
 * `path` is the container's, absolute or relative, and unresolved: use openInRoot() for that. For writing
 * (`writable`) hold the container's lock: a start at the same time would mount the same layers twice.
 * @throws forbidden when a read-only mount is to be written
 */
export async function openContainerRoot(
  context: EngineContext,
  live: LiveContainer,
  options: { path: string; writable: boolean },
): Promise<ContainerRoot> {
  const { record } = live;
  const run = await runOf(live);
  // As in Docker, '..' removes a component before any link is followed.
  const asked = posix.resolve('/', options.path) + trailing(options.path);
  const path = run ? asked : await resolved(context, live, { ...options, path: asked });
  const mounts = mountsFound(context, live);
  if (options.writable && record.hostConfig.ReadonlyRootfs && mountAbove(mounts, path)?.RW !== true) {
    throw forbidden('container rootfs is marked read-only');
  }
  if (run) return root(openRootOf(run.container.pid), path, live);
  const mount = mountAbove(mounts, path);
  if (mount !== undefined && mount.Type !== 'tmpfs' && !mount.filesystem) {
    if (options.writable && !mount.RW) throw forbidden('mounted volume is marked read-only');
    const below = path.slice(mount.Destination.length);
    const { directory, name } = await openMountSource(context, mount);
    return root(directory, name === '.' ? below || '/' : `/${name}${below}`, live);
  }
  return root(await openOwnFiles(context, live, options), path);
}

/** The files of its layers only, even while it runs: nothing of what is mounted in them. */
export async function openLayers(context: EngineContext, live: LiveContainer): Promise<ContainerRoot> {
  // Mounted a second time they would be layers in use, whose changes overlay does not expect.
  const mounted = (await runOf(live))?.container.openLayers();
  if (mounted !== undefined) return root(mounted, '/', live);
  return root(await openOwnFiles(context, live, { writable: false }), '/');
}

/** While it is being started, its root may still be this machine's: this waits for the end of the start. */
async function runOf(live: LiveContainer): Promise<Run | undefined> {
  if (live.run !== undefined && !live.hasBegun) (await live.hold())[Symbol.dispose]();
  return live.run;
}

/** Its mounts, and those of its own files of /etc that a start has made. */
export function mountsFound({ paths }: EngineContext, { id, record }: LiveContainer): RecordMount[] {
  const { hostname, hosts, resolvConf } = paths.container(id);
  const RW = !record.hostConfig.ReadonlyRootfs;
  const own = Object.entries({ hostname, hosts, 'resolv.conf': resolvConf }).map(
    ([name, Source]): RecordMount => ({
      Type: 'bind',
      Source,
      Destination: `/etc/${name}`,
      Mode: '',
      RW,
      Propagation: '',
    }),
  );
  const taken = new Set(record.mounts.map(({ Destination }) => Destination));
  return [
    ...record.mounts,
    ...own.filter(({ Source, Destination }) => existsSync(Source) && !taken.has(Destination)),
  ];
}

/** The container's layers, without its mounts. The caller closes them. */
async function openOwnFiles(
  context: EngineContext,
  { id, record, run, unmounted }: LiveContainer,
  { writable }: { writable: boolean },
): Promise<number> {
  if (run === undefined) await unmounted;
  const lowerdirs = await layersBelow(context, await context.images.get(record.imageId));
  const { upperdir, workdir } = context.paths.container(id);
  return openMergedView({ lowerdirs, upperdir, ...(writable ? { workdir } : {}) });
}

/** The path with its links followed, as they lead through the mounts of a container that does not run. */
async function resolved(
  context: EngineContext,
  live: LiveContainer,
  { path, writable }: { path: string; writable: boolean },
): Promise<string> {
  const mounts = mountsFound(context, live);
  if (mounts.length === 0 || path === '/' || path === '/.') return path;
  return resolveAcrossMounts(mounts, {
    path,
    rootFd: await openOwnFiles(context, live, { writable: false }),
    // A file is unpacked into the directory at the path.
    followLast: writable,
    open: async mount =>
      mount.Type === 'tmpfs' || mount.filesystem
        ? undefined
        : openMountSource(context, mount).catch(() => undefined),
  });
}

/**
 * Opens what a mount shows: the directory itself, with the name '.', or the directory in which a mounted file is
 * found by its name. The caller closes it.
 */
export async function openMountSource(context: EngineContext, mount: RecordMount): Promise<MountSource> {
  const { Source, subpath } = mount;
  if (mount.Type !== 'image' && subpath === undefined)
    return statSync(Source).isDirectory()
      ? { directory: openSync(Source, O.PATH), name: '.' }
      : { directory: openSync(posix.dirname(Source), O.PATH), name: posix.basename(Source) };
  const { fd, kind } = await openMounted(context, mount);
  if (kind === 'directory') return { directory: fd, name: '.' };
  closeSync(fd);
  const parent = await openMounted(context, { ...mount, subpath: posix.dirname(subpath!) });
  return { directory: parent.fd, name: posix.basename(subpath!) };
}

/** @param live the container, if the files there have the host's ids */
function root(fd: number, path: string, live?: LiveContainer): ContainerRoot {
  const host = live?.record.hostConfig ?? {};
  const [inContainer, onHost] = [ownersInContainer(host), ownersOnHost(host)];
  const owners = inContainer && onHost ? { owners: { inContainer, onHost } } : {};
  return { fd, path, ...owners, [Symbol.dispose]: () => closeSync(fd) };
}

/** A '/' or '/.' at the end asks for a directory, and makes a link to one be followed. */
function trailing(path: string): string {
  return /(^|\/)\.$/.test(path) ? '/.' : path.endsWith('/') ? '/' : '';
}
