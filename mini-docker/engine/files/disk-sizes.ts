// A container's size on disk: its writable layer, and the layer together with its image.

import { closeSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { call } from '../../linux/call.ts';
import { O, S_IF } from '../../linux/constants.ts';
import { namesIn, statusAt } from '../../linux/directory.ts';
import { mayFail } from '../../linux/step.ts';
import { openat } from '../../linux/syscalls.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

export async function sizesOf(
  context: EngineContext,
  live: LiveContainer,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const SizeRw = await treeSize(context.paths.container(live.id).upperdir);
  const image = await context.images.get(live.record.imageId).catch(() => undefined);
  return { SizeRw, SizeRootFs: SizeRw + (image?.size ?? 0) };
}

/** Entries that are read before other work gets a turn. */
const AT_ONCE = 2000;
/** Greatest depth that is counted: each level keeps one descriptor open. */
const DEEPEST = 1000;

/**
 * Bytes of all files; a file with several names counts once. The tree may change, and be hostile,
 * meanwhile.
 */
export async function treeSize(directory: string): Promise<number> {
  const seen = new Set<bigint>();
  const open: { fd: number; names: Buffer[] }[] = [];
  const begin = (fd: number): void => void open.push({ fd, names: namesIn(fd) });
  let [sum, count] = [0, 0];
  try {
    begin(openSync(directory, O.RDONLY | O.DIRECTORY));
    for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
      const name = level.names.pop();
      if (name === undefined) {
        open.pop();
        closeSync(level.fd);
        continue;
      }
      if (++count % AT_ONCE === 0) await setImmediate();
      const status = statusAt(level.fd, name);
      const kind = (status?.mode ?? 0) & S_IF.MT;
      if (kind === S_IF.DIR && open.length < DEEPEST) {
        const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
        const fd = call(mayFail(openat(level.fd, name, flags, 0), 'ENOENT', 'ENOTDIR', 'ELOOP'));
        if (fd >= 0) begin(fd);
      } else if (status !== undefined && kind === S_IF.REG) {
        if (status.nlink > 1 && seen.has(status.inode)) continue;
        if (status.nlink > 1) seen.add(status.inode);
        sum += status.size;
      }
    }
  } catch (error) {
    // The directory was removed at the same time.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    for (const { fd } of open) closeSync(fd);
  }
  return sum;
}
