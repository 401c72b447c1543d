// Follows the files below a path: what was added, changed and removed, in batches.

import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, fileReason } from '../errors.ts';

export interface Changes {
  /** Paths relative to the followed one, '' for a followed file itself. */
  changed: string[];
  removed: string[];
}

export interface Following {
  path: string;
  /** Whether the file or directory at this relative path does not count. */
  ignores(path: string): boolean;
  /** Whether all files count as changed at first. */
  initially: boolean;
  /** Called when no later change can be missed. */
  ready(): void;
  signal: AbortSignal;
}

/** Milliseconds without an event before the files are looked at: an editor or a compiler writes many at once. */
const QUIET = 200;

/**
 * The kernel's events only say when to look: they can be lost, and they do not tell a new directory's content. What has
 * changed is found by comparing two scans.
 */
export async function* follow(following: Following): AsyncGenerator<Changes> {
  const { path, ignores, initially, ready, signal } = following;
  const watchers = new Map<string, FSWatcher>();
  let woken = Promise.withResolvers<void>();
  let events = 0;
  const wake = () => {
    events += 1;
    woken.resolve();
  };
  signal.addEventListener('abort', wake);
  /** Directories that may be others by now: one that is removed and made again needs a watcher of its own. */
  const renamed = new Set<string>();
  const close = (directory: string): void => {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  };
  const look = (): Map<string, string> => {
    for (const each of renamed) close(each);
    renamed.clear();
    for (;;) {
      const { files, directories } = scan(path, ignores);
      let isNew = false;
      for (const each of directories) {
        if (watchers.has(each)) continue;
        const watcher = watched(each, type => {
          if (type === 'rename') renamed.add(each);
          wake();
        });
        if (watcher === undefined) continue;
        watchers.set(each, watcher);
        isNew = true;
      }
      for (const each of watchers.keys()) if (!directories.has(each)) close(each);
      // A new directory may have got files before it was watched.
      if (!isNew) return files;
    }
  };
  try {
    let before = look();
    ready();
    if (initially && before.size > 0) yield { changed: [...before.keys()], removed: [] };
    while (!signal.aborted) {
      await woken.promise;
      // Files that never come to rest are looked at after two seconds.
      for (let seen = -1, times = 0; seen !== events && times < 10 && !signal.aborted; times++) {
        seen = events;
        await sleep(QUIET);
      }
      woken = Promise.withResolvers<void>();
      const now = look();
      const changed = [...now].filter(([name, state]) => before.get(name) !== state).map(([name]) => name);
      const removed = [...before.keys()].filter(name => !now.has(name));
      before = now;
      if (changed.length + removed.length > 0 && !signal.aborted) yield { changed, removed };
    }
  } finally {
    signal.removeEventListener('abort', wake);
    for (const watcher of watchers.values()) watcher.close();
  }
}

/** Undefined for a directory that is gone. */
function watched(directory: string, happened: (type: string) => void): FSWatcher | undefined {
  try {
    return watch(directory, happened).on('error', () => happened('rename'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const hint =
      code === 'ENOSPC' ? ' (the limit is fs.inotify.max_user_watches: ignore directories, or raise it)' : '';
    throw new CommandError(`cannot watch ${directory}: ${fileReason(cause)}${hint}`, { cause });
  }
}

interface Scan {
  /** State of each file and link, by relative path. */
  files: Map<string, string>;
  /** Directories with anything that counts. */
  directories: Set<string>;
}

/** Links are not followed: they could lead anywhere, and in circles. */
function scan(path: string, ignores: Following['ignores']): Scan {
  const found: Scan = { files: new Map(), directories: new Set() };
  const visit = (at: string, name: string): void => {
    const stats = lstatSync(at, { throwIfNoEntry: false, bigint: true });
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      found.files.set(name, `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.mode}`);
      return;
    }
    found.directories.add(at);
    for (const each of namesIn(at)) {
      const inside = name === '' ? each : `${name}/${each}`;
      if (!ignores(inside)) visit(join(at, each), inside);
    }
  };
  visit(path, '');
  // An editor replaces a file by renaming another; only the directory sees it.
  if (found.directories.size === 0) found.directories.add(dirname(path));
  return found;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new CommandError(`cannot read ${directory}: ${fileReason(cause)}`, { cause });
  }
}
