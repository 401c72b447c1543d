// GET /containers/ID/changes: the files that the container's writable layer adds to its image, changes, and
// deletes.

import { closeSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { FilesystemChange } from '../../formats/engine-api/containers.ts';
import { isOpaque } from '../../images/whiteouts.ts';
import { call } from '../../linux/call.ts';
import { O, S_IF } from '../../linux/constants.ts';
import { type FileStatus, isWhiteout, namesIn, statusAt } from '../../linux/directory.ts';
import type { PathArg } from '../../linux/in-root.ts';
import { mayFail } from '../../linux/step.ts';
import { openat } from '../../linux/syscalls.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { layersBelow } from './init-layer.ts';

const MODIFIED = 0;
const ADDED = 1;
const DELETED = 2;

export interface ChangeOptions {
  upperdir: string;
  /** The image's layers, topmost first. */
  lowerdirs: string[];
  /** Paths in the container that the engine made as mount points; they are no change. */
  mountPoints: Set<string>;
}

/** Greatest depth that is reported: each level keeps one descriptor open per layer. */
const DEEPEST = 200;

/**
 * Changes in the order of their paths. Files are opened by descriptor, since a container may swap
 * directories for links meanwhile.
 */
export async function filesystemChanges(options: ChangeOptions): Promise<FilesystemChange[]> {
  const { mountPoints } = options;
  const changes: FilesystemChange[] = [];

  /**
   * `below`: the layers' directories that still show through here, topmost first. True when something below
   * changed.
   */
  const visit = async (at: {
    upper: number;
    path: string;
    below: number[];
    depth: number;
  }): Promise<boolean> => {
    const { upper, path, below, depth } = at;
    let isChanged = false;
    await setImmediate();
    for (const bytes of namesIn(upper).sort(Buffer.compare)) {
      const child = `${path}/${bytes.toString('utf8', 0, bytes.length - 1)}`;
      const status = statusAt(upper, bytes);
      if (status === undefined) continue;
      const lower = findBelow(below, bytes);
      if (isWhiteout(status)) {
        if (lower) changes.push({ Path: child, Kind: DELETED });
        isChanged ||= lower !== undefined;
        continue;
      }
      using held = new DisposableStack();
      const isDirectory = isOfKind(status, S_IF.DIR);
      const directory = isDirectory ? openBelow(upper, bytes, held) : undefined;
      const index = changes.length;
      const opaque = directory !== undefined && isOpaque(directory);
      const isUnder = isDirectory && lower !== undefined && isOfKind(lower, S_IF.DIR) && !opaque;
      const under = isUnder && depth < DEEPEST ? directoriesBelow(below, bytes, held) : [];
      const hasChanges =
        directory !== undefined &&
        depth < DEEPEST &&
        (await visit({ upper: directory, path: child, below: under, depth: depth + 1 }));
      if (mountPoints.has(child) && !hasChanges) continue;
      if (isDirectory && !hasChanges && isOnlyMountPoints(child, mountPoints) && lower === undefined)
        continue;
      // The engine changed the directory's time when it made a mount point in it.
      const ignoreTime = isOnlyMountPoints(child, mountPoints);
      if (isUnder && !hasChanges && sameAttributes(status, lower, ignoreTime)) continue;
      changes.splice(index, 0, { Path: child, Kind: lower ? MODIFIED : ADDED });
      isChanged = true;
    }
    return isChanged;
  };

  using held = new DisposableStack();
  const open = (path: string): number => held.adopt(openSync(path, O.RDONLY | O.DIRECTORY), closeSync);
  const below = options.lowerdirs.map(open);
  await visit({ upper: open(options.upperdir), path: '', below, depth: 0 });
  return changes;
}

const isOfKind = ({ mode }: FileStatus, kind: number): boolean => (mode & S_IF.MT) === kind;

/**
 * Opens the directory of this name, without following links; `held` closes it. undefined when it no longer
 * exists.
 */
function openBelow(directory: number, name: PathArg, held: DisposableStack): number | undefined {
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
  const fd = call(mayFail(openat(directory, name, flags, 0), 'ENOENT', 'ENOTDIR', 'ELOOP'));
  return fd < 0 ? undefined : held.adopt(fd, closeSync);
}

/** The layers' directories of this name, as far down as they show through. */
function directoriesBelow(below: readonly number[], name: PathArg, held: DisposableStack): number[] {
  const found: number[] = [];
  for (const layer of below) {
    const status = statusAt(layer, name);
    if (status === undefined && isOpaque(layer)) break;
    if (status === undefined) continue;
    const fd = isOfKind(status, S_IF.DIR) ? openBelow(layer, name, held) : undefined;
    if (fd === undefined) break;
    found.push(fd);
    if (isOpaque(fd) || isOpaque(layer)) break;
  }
  return found;
}

/** The image's file of this name: from the topmost layer that has it, unless that layer deletes it. */
function findBelow(below: readonly number[], name: PathArg): FileStatus | undefined {
  for (const layer of below) {
    const status = statusAt(layer, name);
    if (status !== undefined) return isWhiteout(status) ? undefined : status;
    if (isOpaque(layer)) return undefined;
  }
  return undefined;
}

/** Overlay copies a directory up when something below it changes; the copy alone is not a change. */
function sameAttributes(a: FileStatus, b: FileStatus, ignoreTime: boolean): boolean {
  const isSame = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
  return isSame && (ignoreTime || a.mtime === b.mtime);
}

function isOnlyMountPoints(path: string, mountPoints: Set<string>): boolean {
  return [...mountPoints].some(each => each.startsWith(`${path}/`));
}

/** The changes of a container, running or not. */
export async function containerChanges(
  context: EngineContext,
  live: LiveContainer,
): Promise<FilesystemChange[]> {
  const image = await context.images.get(live.record.imageId);
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
