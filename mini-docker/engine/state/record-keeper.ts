// When records are written. What a user was told must survive a killed daemon: that is written before the answer. What
// the runtime can tell the next daemon by itself (that a program runs) is written a little later, and a short-lived
// container never needs it. fsync(2) is for a power cut only and takes as long as the disk likes (0.2 to 20 ms): it
// comes in the background.

import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { keepCopy } from '../../linux/kept-file.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerRecord } from './record.ts';
import { saveRecord } from './record-file.ts';

/** Milliseconds. */
const LATER = 1000;

const sync = promisify(fsync);

export class RecordKeeper {
  readonly #paths: DataPaths;
  readonly #warn: (message: string) => void;
  /** Records that are to be written, or only to be synced, at the next round. */
  readonly #dirty = new Map<string, ContainerRecord>();
  readonly #unsynced = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { paths: DataPaths; warn(message: string): void }) {
    this.#paths = options.paths;
    this.#warn = options.warn;
  }

  /** Writes what a user set. @throws when the disk does not take it */
  save(record: ContainerRecord): void {
    this.#dirty.delete(record.id);
    saveRecord(this.#paths, record);
    this.syncLater(record.id);
  }

  /**
   * Writes what happened to a container. A full disk must not keep it from being stopped: that is told in the log, and
   * the next change saves all of it.
   */
  saveState(record: ContainerRecord): void {
    this.#dirty.delete(record.id);
    try {
      saveRecord(this.#paths, record);
      this.syncLater(record.id);
    } catch (error) {
      this.#warn(`cannot save the state of container ${record.name}: ${(error as Error).message}`);
    }
  }

  saveLater(record: ContainerRecord): void {
    this.#dirty.set(record.id, record);
    this.syncLater(record.id);
  }

  syncLater(id: string): void {
    this.#unsynced.add(id);
    this.#timer ??= setTimeout(() => void this.#round(), LATER).unref();
  }

  /** It is removed. */
  forget(id: string): void {
    this.#dirty.delete(id);
    this.#unsynced.delete(id);
  }

  /** Writes what waits. Call at the end. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const record of this.#dirty.values()) this.saveState(record);
  }

  async #round(): Promise<void> {
    this.flush();
    const ids = [...this.#unsynced];
    this.#unsynced.clear();
    for (const id of ids) {
      const { config, directory } = this.#paths.container(id);
      await syncPath(config);
      copyOf(config);
      await syncPath(directory);
    }
    if (ids.length > 0) await syncPath(this.#paths.containers);
  }
}

/** For a disk that says that it has written, and has not. */
function copyOf(config: string): void {
  try {
    keepCopy(config);
  } catch {
    // As below.
  }
}

async function syncPath(path: string): Promise<void> {
  try {
    const fd = openSync(path, 'r');
    try {
      await sync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It was removed, or the disk has trouble of which the next write will tell.
  }
}
