// The symbolic links on a path of a container that does not run. They may lead from its own files into a volume,
// from a volume back, or from one volume into another, as they do in the container.

import { closeSync } from 'node:fs';
import { posix } from 'node:path';
import { decodeName, pathArg } from '../../formats/byte-names.ts';
import { linkTarget, resolveLinks } from '../../linux/in-root.ts';
import type { RecordMount } from '../state/record.ts';

export interface MountSource {
  directory: number;
  /** '.' for the directory itself. */
  name: string;
}

/** The innermost mount that contains the path, taken literally. */
export function mountAbove(mounts: readonly RecordMount[], path: string): RecordMount | undefined {
  return mounts.findLast(({ Destination }) => path === Destination || path.startsWith(`${Destination}/`));
}

/**
 * The path without links in its directories, and, where it ends in '/' or '/.' or `followLast` is given, without
 * one at its end. What is missing stays as it is.
 * @param path absolute, without '..'
 * @param options.rootFd the container's own files; closed here, as the sources that `open` gives
 */
export async function resolveAcrossMounts(
  mounts: readonly RecordMount[],
  options: {
    path: string;
    rootFd: number;
    followLast: boolean;
    open(mount: RecordMount): Promise<MountSource | undefined>;
  },
): Promise<string> {
  const { path, rootFd } = options;
  using held = new DisposableStack();
  held.adopt(rootFd, closeSync);
  const sources = new Map<RecordMount, MountSource>();
  for (const mount of mounts) {
    const source = await options.open(mount);
    if (source === undefined) continue;
    held.adopt(source.directory, closeSync);
    sources.set(mount, source);
  }
  const end = /\/\.?$/.exec(path)?.[0] ?? '';
  const follows = options.followLast || end !== '';
  const resolved = resolveLinks({ rootFd, path: pathArg(follows ? path : posix.dirname(path)) }, latin1 => {
    const inside = `/${decodeName(Buffer.from(latin1, 'latin1'))}`;
    const mount = mountAbove(mounts, inside);
    if (mount === undefined) return linkTarget(rootFd, latin1);
    const source = sources.get(mount);
    const start = Buffer.byteLength(mount.Destination);
    // A mount point is no link, and a tmpfs has no files before the start.
    return source?.name === '.' && inside !== mount.Destination
      ? linkTarget(source.directory, latin1.slice(start))
      : undefined;
  });
  const found = decodeName(resolved);
  return follows ? (found === '/' ? '/' : found + end) : posix.join(found, posix.basename(path));
}
