// How much a container takes on disk: its writable layer, and that together with its image.

import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';

export async function sizesOf(
  context: EngineContext,
  live: LiveContainer,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const SizeRw = await treeSize(context.paths.container(live.id).upperdir);
  const image = await context.images.get(live.record.imageId).catch(() => undefined);
  return { SizeRw, SizeRootFs: SizeRw + (image?.size ?? 0) };
}

/** Bytes of all files; a file with several names counts once. */
export async function treeSize(directory: string): Promise<number> {
  const seen = new Set<number>();
  let sum = 0;
  const visit = async (path: string): Promise<void> => {
    try {
      for await (const entry of await opendir(path)) {
        const child = join(path, entry.name);
        if (entry.isDirectory()) await visit(child);
        else if (entry.isFile()) {
          const stats = await lstat(child);
          if (stats.nlink > 1 && seen.has(stats.ino)) continue;
          if (stats.nlink > 1) seen.add(stats.ino);
          sum += stats.size;
        }
      }
    } catch (error) {
      // It goes on living while we look.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  };
  await visit(directory);
  return sum;
}
