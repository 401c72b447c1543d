// GET /containers/ID/changes: what the container's writable layer adds to its image, changes in it, and takes away.

import { closeSync, lstatSync, openSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemChange } from '../formats/engine-api.ts';
import { O, S_IF } from '../linux/constants.ts';
import { xattr } from '../linux/xattrs.ts';
import type { EngineContext } from './context.ts';
import { translated } from './foreign-errors.ts';
import { layersBelow } from './init-layer.ts';
import type { LiveContainer } from './live-container.ts';

const MODIFIED = 0;
const ADDED = 1;
const DELETED = 2;

export interface ChangeOptions {
  upperdir: string;
  /** Topmost first. */
  lowerdirs: string[];
  /** Paths in the container that the engine made to mount on them: nobody's change. */
  mountPoints: Set<string>;
}

/** In the order of the paths. */
export async function filesystemChanges(options: ChangeOptions): Promise<FilesystemChange[]> {
  const { upperdir, lowerdirs, mountPoints } = options;
  const changes: FilesystemChange[] = [];

  /** `below`: directories of layers that still show through here, topmost first. True when something below changed. */
  const visit = async (path: string, below: string[]): Promise<boolean> => {
    let isChanged = false;
    const names: string[] = [];
    for await (const entry of await opendir(join(upperdir, path))) names.push(entry.name);
    for (const name of names.sort()) {
      const child = `${path}/${name}`;
      const stats = lstatSync(join(upperdir, child), { throwIfNoEntry: false });
      if (stats === undefined) continue;
      const lower = findBelow(below, name);
      if (isWhiteout(stats)) {
        if (lower) changes.push({ Path: child, Kind: DELETED });
        isChanged ||= lower !== undefined;
        continue;
      }
      const isDirectory = stats.isDirectory();
      const at = changes.length;
      const opaque = isDirectory && isOpaque(join(upperdir, child));
      const under = isDirectory && lower?.isDirectory && !opaque ? below.map(each => join(each, name)) : [];
      const hasChanges = isDirectory && (await visit(child, under));
      if (mountPoints.has(child) && !hasChanges) continue;
      if (isDirectory && !hasChanges && isOnlyMountPoints(child, mountPoints) && lower === undefined)
        continue;
      // Making a mount point in it gave the directory a new time: that was us.
      const ignoreTime = isOnlyMountPoints(child, mountPoints);
      const isUnder = isDirectory && lower?.isDirectory && !opaque;
      if (isUnder && !hasChanges && sameAttributes(stats, lower.stats, ignoreTime)) continue;
      changes.splice(at, 0, { Path: child, Kind: lower ? MODIFIED : ADDED });
      isChanged = true;
    }
    return isChanged;
  };

  await visit('', lowerdirs);
  return changes;
}

interface Lower {
  isDirectory: boolean;
  stats: { mode: number; uid: number; gid: number; mtimeMs: number };
}

/** What the image shows under this name: the first layer that has it, unless that has it deleted. */
function findBelow(below: string[], name: string): Lower | undefined {
  for (const layer of below) {
    const stats = lstatSync(join(layer, name), { throwIfNoEntry: false });
    if (stats === undefined) {
      if (isOpaque(layer)) return undefined;
      continue;
    }
    return isWhiteout(stats) ? undefined : { isDirectory: stats.isDirectory(), stats };
  }
  return undefined;
}

/** kernel, Documentation/filesystems/overlayfs.rst: a character device 0:0. */
function isWhiteout(stats: { mode: number; rdev: number }): boolean {
  return (stats.mode & S_IF.MT) === S_IF.CHR && stats.rdev === 0;
}

function isOpaque(directory: string): boolean {
  let fd: number;
  try {
    fd = openSync(directory, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
  } catch {
    return false;
  }
  try {
    return xattr(fd, 'trusted.overlay.opaque')?.toString() === 'y';
  } finally {
    closeSync(fd);
  }
}

/** A directory is copied up when something below it changes; that alone is no change of it. */
function sameAttributes(a: Lower['stats'], b: Lower['stats'], ignoreTime: boolean): boolean {
  const isSame = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
  return isSame && (ignoreTime || a.mtimeMs === b.mtimeMs);
}

function isOnlyMountPoints(path: string, mountPoints: Set<string>): boolean {
  return [...mountPoints].some(each => each.startsWith(`${path}/`));
}

/** Of a container, running or not. */
export async function containerChanges(
  context: EngineContext,
  live: LiveContainer,
): Promise<FilesystemChange[]> {
  const image = await translated(context.images.get(live.record.imageId));
  return filesystemChanges({
    upperdir: context.paths.container(live.id).upperdir,
    lowerdirs: await layersBelow(context, image),
    mountPoints: OWN_MOUNT_POINTS,
  });
}

const OWN_MOUNT_POINTS = new Set([
  '/dev',
  '/proc',
  '/sys',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
]);
