// Fills a new volume with the image's files at its mount point, once, with owners, modes and times. Both
// sides are opened by descriptor, inside the image's root and inside the volume.

import { closeSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pack } from '../../images/pack.ts';
import { unpackArchive } from '../../images/unpack-archive.ts';
import { call } from '../../linux/call.ts';
import { O } from '../../linux/constants.ts';
import { Descriptor } from '../../linux/descriptor.ts';
import { statusAt } from '../../linux/directory.ts';
import { openInRoot, setTimes } from '../../linux/in-root.ts';
import { removeTree } from '../../linux/remove-tree.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { fchmod, fchown } from '../../linux/syscalls.ts';
import { openMergedView } from '../../runtime/merged-view.ts';
import type { Owner } from '../state/id-mappings.ts';

export interface CopyUp {
  /** The layers of the container, topmost first. */
  layers: string[];
  /** The mount point in the container. */
  destination: string;
  /** The volume's directory. */
  into: string;
  /** Translates an owner in the image to one on the host; undefined: the same ids. */
  onHost?: ((owner: Owner) => Owner) | undefined;
  /**
   * Name for an empty directory on the same filesystem, for the duration of the copy; undefined: there is
   * none.
   */
  by: string | undefined;
}

/**
 * Does nothing when the volume has files already, or the image has no directory there. @throws SyscallError
 * when the copy fails
 */
export async function copyUp({ layers, destination, into, onHost, by }: CopyUp): Promise<void> {
  if (readdirSync(into).length > 0) return;
  using held = new DisposableStack();
  const [upperdir = '', ...lowerdirs] = layers;
  const root = held.adopt(openMergedView({ lowerdirs, upperdir }), closeSync);
  const from = openDirectory(root, destination);
  if (from === undefined) return;
  held.adopt(from, closeSync);
  if (by === undefined) await copyTree(from, into, onHost);
  else {
    // An interrupted copy must not be taken for the volume's content.
    await removeTree(by);
    mkdirSync(by, { mode: 0o700 });
    try {
      await copyTree(from, by, onHost);
      for (const name of readdirSync(by, { encoding: 'buffer' }))
        renameSync(inside(by, name), inside(into, name));
    } finally {
      await removeTree(by);
    }
  }
  copyStatus(from, into, onHost);
}

function openDirectory(root: number, path: string): number | undefined {
  try {
    return openInRoot(root, path, O.RDONLY | O.DIRECTORY);
  } catch (error) {
    const nothingThere = ['ENOENT', 'ENOTDIR', 'ELOOP'];
    if (error instanceof SyscallError && nothingThere.includes(error.code)) return undefined;
    throw error;
  }
}

async function copyTree(from: number, into: string, onHost: CopyUp['onHost']): Promise<void> {
  const rootFd = openSync(into, O.RDONLY | O.DIRECTORY);
  try {
    const source = inTurns(pack({ fd: from, whiteouts: false }));
    const limit = Number.MAX_SAFE_INTEGER;
    await unpackArchive({ source, rootFd, whiteouts: false, limit, ...(onHost && { owner: onHost }) });
  } finally {
    closeSync(rootFd);
  }
}

/** Lets other work run between the pieces of a large tree. */
async function* inTurns(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    await setImmediate();
  }
}

function copyStatus(from: number, into: string, onHost: CopyUp['onHost'] = owner => owner): void {
  const { mode, mtime, ...status } = statusAt(from, '')!;
  const { uid, gid } = onHost({ uid: status.uid, gid: status.gid });
  using directory = new Descriptor(openSync(into, O.RDONLY | O.DIRECTORY));
  call(fchown(directory.number, uid, gid));
  call(fchmod(directory.number, mode & 0o7777));
  setTimes(directory.number, null, mtime);
}

/** Joins as bytes, since names need not be UTF-8. */
function inside(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(join(directory, '/')), name]);
}
