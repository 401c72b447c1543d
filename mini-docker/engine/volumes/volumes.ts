// The volumes and host directories of containers: created before the container, reported when it starts and
// exits, and removed with it if they are anonymous.

import { chownSync, closeSync, existsSync, realpathSync } from 'node:fs';
import { ANONYMOUS_LABEL } from '../../formats/engine-api/volumes.ts';
import { badParameter, ExpectedError } from '../../formats/errors.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { mountOf, readMountinfo } from '../../linux/proc/mountinfo.ts';
import { openMounted } from '../files/subpaths.ts';
import type { EngineContext } from '../state/context.ts';
import { ownersOnHost } from '../state/id-mappings.ts';
import type { ContainerRecord, RecordMount } from '../state/record.ts';
import { copyUp } from './content.ts';

export interface PreparedVolumes extends Disposable {
  /** Removes the new volumes, because the container is not created. */
  undo(): Promise<void>;
}

/**
 * Creates the container's missing volumes, and fills empty ones with the image's files. None of them can be
 * removed until the result is disposed of: the container must be registered by then. On failure nothing is
 * left.
 */
export async function prepareVolumes(
  context: EngineContext,
  record: ContainerRecord,
  layers: () => Promise<string[]>,
): Promise<PreparedVolumes> {
  const { volumes } = context;
  const mounts = record.mounts.filter(mount => mount.Type === 'volume');
  const names = [...new Set(mounts.map(mount => mount.Name!))].sort();
  using held = new DisposableStack();
  const made: string[] = [];
  const onHost = ownersOnHost(record.hostConfig);
  const root = onHost?.({ uid: 0, gid: 0 });
  const undo = async () => {
    for (const name of made) await volumes.remove(name);
    for (const name of made) volumeEvent(context, 'destroy', { name });
  };
  try {
    for (const name of names) held.use(await volumes.acquire(name));
    for (const mount of mounts) {
      const name = mount.Name!;
      if (volumes.find(name) === undefined) {
        volumes.create(name, settingsOf(mount));
        made.push(name);
        if (root !== undefined) chownSync(volumes.dataPath(name), root.uid, root.gid);
        volumeEvent(context, 'create', { name });
      } else volumes.restore(name);
      if (mount.noCopy || mount.filesystem || !existsSync(mount.Source)) continue;
      const isOurs = mount.Source === volumes.dataPath(name);
      const by = isOurs ? volumes.copyPath(name) : undefined;
      const { Destination: destination, Source: source, subpath } = mount;
      // A directory below the volume's is named by a descriptor: its programs may swap it for a link.
      const below = subpath === undefined ? undefined : await openForCopy(context, mount);
      if (below !== undefined) held.adopt(below.fd, closeSync);
      if (subpath !== undefined && below?.kind !== 'directory') continue;
      const into = below === undefined ? source : `/proc/self/fd/${below.fd}`;
      await copyUp({ layers: await layers(), destination, into, onHost, by });
    }
  } catch (error) {
    await undo();
    throw error;
  }
  if (made.length > 0) await volumes.settled();
  const kept = held.move();
  return { undo, [Symbol.dispose]: () => kept.dispose() };
}

/** undefined where the part is missing, which the start reports. */
async function openForCopy(context: EngineContext, mount: RecordMount) {
  try {
    return await openMounted(context, mount);
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
}

function settingsOf({ anonymous, volume = {} }: RecordMount) {
  const { labels = {}, options = {} } = volume;
  return { labels: anonymous ? { [ANONYMOUS_LABEL]: '', ...labels } : labels, options };
}

/** Makes missing directories for `-v`, as docker does; sources of `--mount` and of volumes must exist. */
export function makeBindSources(record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Type === 'tmpfs' || mount.Type === 'image' || mount.filesystem) continue;
    if (mount.mustExist || mount.Type === 'volume') {
      if (existsSync(mount.Source)) continue;
      throw badParameter(
        mount.Type === 'volume'
          ? `error while mounting volume ${mount.Name}: ${mount.Source} does not exist`
          : `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
      );
    }
    try {
      makeDirectories(mount.Source, 0o755);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // A file, a socket or a device is a source, too.
      if (code === 'EEXIST') continue;
      throw badParameter(
        `error while creating mount source path '${mount.Source}': ${(cause as Error).message}`,
      );
    }
  }
}

/**
 * A mount can propagate mounts below it only if its source does.
 * @throws badParameter when the source does not, in docker's words
 */
export function checkPropagation(record: ContainerRecord): void {
  const wanting = record.mounts.filter(mount => /shared|slave/.test(mount.Propagation));
  if (wanting.length === 0) return;
  const mounts = readMountinfo() ?? [];
  for (const { Source, Propagation } of wanting) {
    const on = mountOf(mounts, realpathSync(Source));
    const { shared, master } = on?.propagation ?? {};
    const isSlave = Propagation.endsWith('slave');
    if (shared !== undefined || (isSlave && master !== undefined)) continue;
    const wanted = isSlave ? 'a shared or slave mount' : 'a shared mount';
    throw badParameter(`path ${Source} is mounted on ${on?.mountPoint} but it is not ${wanted}`);
  }
}

/** The ids of the containers, running or not, that use this volume. */
export function usersOf(context: EngineContext, name: string): string[] {
  return [...context.containers]
    .filter(({ record }) => record.mounts.some(mount => mount.Type === 'volume' && mount.Name === name))
    .map(({ id }) => id);
}

/** Removes the anonymous volumes of a container that is already off the list; those that others use stay. */
export async function removeAnonymousVolumes(context: EngineContext, record: ContainerRecord): Promise<void> {
  for (const { anonymous, Name: name } of record.mounts) {
    if (!anonymous || name === undefined) continue;
    using _held = await context.volumes.acquire(name);
    if (context.volumes.find(name) === undefined || usersOf(context, name).length > 0) continue;
    await context.volumes.remove(name);
    volumeEvent(context, 'destroy', { name });
  }
}

/** Publishes mount events when the container starts, and unmount events when it has exited. */
export function mountEvents(
  context: EngineContext,
  record: ContainerRecord,
  action: 'mount' | 'unmount',
): void {
  for (const mount of record.mounts) {
    if (mount.Type !== 'volume') continue;
    const how: Record<string, string> =
      action === 'unmount'
        ? {}
        : { destination: mount.Destination, propagation: mount.Propagation, 'read/write': String(mount.RW) };
    volumeEvent(context, action, { name: mount.Name!, attributes: { container: record.id, ...how } });
  }
}

export function volumeEvent(
  context: EngineContext,
  action: 'create' | 'mount' | 'unmount' | 'destroy',
  options: { name: string; attributes?: Record<string, string> },
): void {
  const attributes = { ...options.attributes, driver: 'local' };
  context.events.emit('volume', action, { id: options.name, attributes });
}
