// Parts of volumes and images that are mounted: --mount type=volume,volume-subpath=PATH and --mount type=image.
// A volume belongs to its containers' programs, and an image may come from anywhere: links that lead out of
// them are refused, as in Docker.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { badParameter } from '../../formats/errors.ts';
import type { MountPart, Subpath } from '../../formats/oci/runtime-spec.ts';
import { O } from '../../linux/constants.ts';
import { openContained } from '../../linux/in-root.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord, RecordMount } from '../state/record.ts';

/** Opens the directory that the mount shows a part of: a volume's, or an image's. The caller closes it. */
async function openWhole(context: EngineContext, mount: RecordMount): Promise<number> {
  if (mount.Type !== 'image') return openSync(mount.Source, O.PATH | O.DIRECTORY);
  const [upperdir = '', ...lowerdirs] = await mountedLayers(context, mount);
  return openMergedView({ upperdir, lowerdirs });
}

async function mountedLayers({ images }: EngineContext, { Source }: RecordMount): Promise<string[]> {
  return images.lowerdirs(await images.get(Source));
}

/**
 * Opens what the mount shows, with O_PATH; the caller closes it.
 * @throws ExpectedError, in docker's words, when the subpath is missing or leads out
 */
export async function openMounted(
  context: EngineContext,
  mount: RecordMount,
): Promise<{ fd: number; kind: Subpath['kind'] }> {
  const whole = await openWhole(context, mount);
  const { subpath } = mount;
  if (subpath === undefined) return { fd: whole, kind: 'directory' };
  try {
    const fd = openContained(whole, subpath, O.PATH);
    return { fd, kind: fstatSync(fd).isDirectory() ? 'directory' : 'file' };
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause;
    const { code } = cause;
    if (code === 'EXDEV' || code === 'ELOOP')
      throw badParameter('path concatenation escapes the base directory', { cause });
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cause;
    const message = `cannot access path ${join(mount.Source, subpath)}: no such file or directory`;
    throw badParameter(message, { cause, exitCode: 127 });
  } finally {
    closeSync(whole);
  }
}

/** By mount point. @throws ExpectedError, ImageError when one is missing */
export async function mountParts(
  context: EngineContext,
  record: ContainerRecord,
): Promise<Map<string, MountPart>> {
  const parts = new Map<string, MountPart>();
  for (const mount of record.mounts) {
    const part: MountPart = {};
    if (mount.Type === 'image') part.layers = await mountedLayers(context, mount);
    if (mount.subpath !== undefined) {
      const { fd, kind } = await openMounted(context, mount);
      closeSync(fd);
      part.subpath = { path: mount.subpath, kind };
    }
    parts.set(mount.Destination, part);
  }
  return parts;
}
