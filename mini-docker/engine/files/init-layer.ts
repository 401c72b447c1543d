// The init layer: mount points, in a layer between every image and its containers. Mount points are thus in
// no image and in no commit, a container that writes nothing has an empty layer, and an image whose /proc or
// /etc is a symbolic link cannot redirect a mount.

import { chmodSync, chownSync, lstatSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../../images/image.ts';
import { ensureDirectory, sizeOfRegular, type Tell } from '../../linux/kept-file.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { writeWhole } from '../../linux/whole-file.ts';
import type { EngineContext } from '../state/context.ts';

const DIRECTORIES = ['dev', 'proc', 'sys', 'etc'];
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', '.dockerenv'];

/** Makes the layer's directories and files. Idempotent. */
export function makeInitLayer(directory: string, tell: Tell): void {
  for (const name of ['.', ...DIRECTORIES]) ensureDirectory(join(directory, name), { mode: 0o755, tell });
  for (const name of FILES) {
    const path = join(directory, name);
    if (sizeOfRegular(path) !== 0) writeWhole(path, '');
    chmodSync(path, 0o644);
  }
  // Older versions of mount(8) and df(1) read it.
  const mtab = join(directory, 'etc/mtab');
  if (lstatSync(mtab, { throwIfNoEntry: false }) === undefined) symlinkSync('/proc/mounts', mtab);
}

/**
 * The init layer, topmost first. The kernel takes a directory's owner and mode from the topmost layer that
 * has it. If the image gives one of these directories an owner or mode other than root and 755, a layer of
 * empty directories with that owner and mode goes on top.
 * @param lowerdirs the image's layers, topmost first
 */
export function initLayers(initLayer: string, lowerdirs: readonly string[]): string[] {
  const chosen = DIRECTORIES.map(name => attributesIn(lowerdirs, name));
  if (chosen.every(each => each === undefined || each === DEFAULT)) return [initLayer];
  const key = chosen.map(each => each ?? DEFAULT).join('-');
  const directory = join(`${initLayer}-owners`, key);
  for (const [index, each] of chosen.entries()) {
    const [mode = '', uid, gid] = (each ?? DEFAULT).split('.');
    const path = join(directory, DIRECTORIES[index]!);
    makeDirectories(path, 0o755);
    chownSync(path, Number(uid), Number(gid));
    chmodSync(path, Number.parseInt(mode, 8));
  }
  return [directory, initLayer];
}

const DEFAULT = '755.0.0';

/**
 * 'MODE.UID.GID' of the directory in the topmost layer that has the name; undefined when that is not a
 * directory.
 */
function attributesIn(lowerdirs: readonly string[], name: string): string | undefined {
  for (const layer of lowerdirs) {
    const stats = lstatSync(join(layer, name), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    return stats.isDirectory() ? `${(stats.mode & 0o7777).toString(8)}.${stats.uid}.${stats.gid}` : undefined;
  }
  return undefined;
}

/** The layers below the container's writable one, topmost first. */
export async function layersBelow(context: EngineContext, image: Image): Promise<string[]> {
  const lowerdirs = await context.images.lowerdirs(image);
  return [...initLayers(context.paths.initLayer, lowerdirs), ...lowerdirs];
}
