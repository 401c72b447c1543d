// What has come into the store and may not be on the disk yet. A blob or a layer is noted before it appears; the note goes
// when the file system has been synced, in the background, and nothing of it is under way. So the notes that a daemon finds
// name what an earlier one was bringing when it was killed, or what a power cut may have left with empty files.
//
// A note is an empty file, ARRIVALS/BOOT/DIGEST: a file's content may be lost where its name is not.

import { openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../formats/oci/digest.ts';
import { quietly } from '../formats/quietly.ts';
import { callAsync } from '../linux/call.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { ensureDirectory, type Tell } from '../linux/kept-file.ts';
import { currentBootId } from '../linux/proc/identity.ts';
import { syncfs } from '../linux/syscalls.ts';

export interface Arrivals {
  /** Call it before the blob or layer of this digest appears. */
  note(digest: string): void;
  /** It is removed again. */
  drop(digest: string): void;
  /** Call it when nothing is under way: syncs the disk a little later, and forgets what was noted until then. */
  settleLater(): void;
  /** Digests that an earlier daemon noted. */
  readonly unsettled: readonly string[];
  /** Those of another boot: the machine went down before they were synced. */
  readonly suspicious: readonly string[];
}

/** Milliseconds without further arrivals. */
const LATER = 1000;

export function openArrivals(root: string, tell: Tell): Arrivals {
  ensureDirectory(root, { tell });
  const boot = currentBootId();
  const found = readdirSync(root).map(name => ({ name, digests: digestsIn(join(root, name)) }));
  const own = join(root, boot);
  ensureDirectory(own, { tell });
  let fresh = new Set(found.flatMap(each => each.digests));
  let timer: NodeJS.Timeout | undefined;

  async function settle(): Promise<void> {
    timer = undefined;
    const settled = fresh;
    fresh = new Set();
    try {
      using directory = new Descriptor(openSync(root, 'r'));
      await callAsync(syncfs(directory.number));
    } catch (error) {
      // Without the directory, the daemon's end or another program has removed all of it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        tell(`the images cannot be synced: ${(error as Error).message}`);
      fresh = new Set([...settled, ...fresh]);
      return;
    }
    for (const digest of settled) if (!fresh.has(digest)) rmSync(join(own, hexOf(digest)), { force: true });
    for (const { name } of found.splice(0))
      if (name !== boot) rmSync(join(root, name), { recursive: true, force: true });
  }

  return {
    unsettled: [...fresh],
    suspicious: found.filter(({ name }) => name !== boot).flatMap(each => each.digests),
    note(digest) {
      clearTimeout(timer);
      timer = undefined;
      if (fresh.has(digest)) return;
      fresh.add(digest);
      writeFileSync(join(own, hexOf(digest)), '');
    },
    drop(digest) {
      if (fresh.delete(digest)) rmSync(join(own, hexOf(digest)), { force: true });
    },
    settleLater() {
      if (fresh.size > 0) timer ??= setTimeout(() => void settle(), LATER).unref();
    },
  };
}

function digestsIn(directory: string): string[] {
  return (
    quietly(() =>
      readdirSync(directory)
        .filter(name => /^[0-9a-f]{64}$/.test(name))
        .map(hex => `sha256:${hex}`),
    ) ?? []
  );
}
