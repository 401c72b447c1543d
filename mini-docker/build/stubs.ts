// Removes mount points from a command's changes.

import { closeSync, lstatSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { OPAQUE_XATTR } from '../images/whiteouts.ts';
import { O } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { xattr } from '../linux/xattrs.ts';
import { locate, placeOf } from './sources.ts';
import type { StageState } from './state.ts';
import { openState, type Workspace } from './workspace.ts';

/**
 * Removes files and directories that were created only as mount points: they are not changes to the image.
 * Parent directories that overlay copied up for them are removed too if they are otherwise empty.
 */
export function removeStubs(
  workspace: Workspace,
  state: StageState,
  { upperdir, places }: { upperdir: string; places: readonly string[] },
): void {
  const view = openState(workspace, state);
  try {
    // A mount at a link is made where the link leads, even if nothing is there.
    const resolved = places.map(place => `/${placeOf(view, place)}`);
    for (const place of resolved.sort((a, b) => b.length - a.length)) {
      for (let path = place; path !== '/'; path = posix.dirname(path)) {
        if (!removeStub(view, { upperdir, path, isPlace: path === place })) break;
      }
    }
  } finally {
    closeSync(view);
  }
}

/** @returns whether the parent directory may now be empty */
function removeStub(
  view: number,
  { upperdir, path, isPlace }: { upperdir: string; path: string; isPlace: boolean },
): boolean {
  const above = join(upperdir, path);
  if (!isBelow(upperdir, path)) return true;
  const upper = lstatSync(above, { throwIfNoEntry: false });
  if (upper === undefined) return true;
  using lower = locate(view, path);
  if (upper.isDirectory()) {
    if (readdirSync(above).length > 0 || !isSame(lower, upper, above)) return false;
    rmdirSync(above);
    return true;
  }
  if (!isPlace || lower !== undefined || !upper.isFile() || upper.size > 0) return false;
  unlinkSync(above);
  return true;
}

/** Whether the path has no symbolic links, which the container could have pointed elsewhere. */
function isBelow(upperdir: string, path: string): boolean {
  for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) {
    const found = lstatSync(join(upperdir, at), { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory()) return false;
  }
  return true;
}

/** Whether the directory is absent from the lower layers, or there with the same attributes. */
function isSame(
  lower: ReturnType<typeof locate>,
  upper: { mode: number; uid: number; gid: number },
  path: string,
): boolean {
  if (lower === undefined) return true;
  using directory = new Descriptor(openSync(path, O.RDONLY | O.DIRECTORY));
  // An opaque directory replaces a deleted one and hides its contents.
  if (xattr(directory.number, OPAQUE_XATTR) !== undefined) return false;
  const { mode, uid, gid } = lower.status;
  return mode === upper.mode && uid === upper.uid && gid === upper.gid;
}
