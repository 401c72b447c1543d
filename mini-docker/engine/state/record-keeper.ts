// Decides when records are written. A change that a user was told of must survive a killed daemon: it is
// written before the answer. A change that the runtime can tell the next daemon (that a program runs) is
// written a little later, and a short-lived container never needs it. fsync(2) matters for a power cut only
// and takes as long as the disk likes (0.2 to 20 ms): it runs in the background.

import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { keepCopy } from '../../linux/kept-file.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerRecord } from './record.ts';
import { saveRecord } from './record-file.ts';

/** Milliseconds until a delayed write. */
const LATER = 1000;

const sync = promisify(fsync);

export class RecordKeeper {
  readonly #paths: DataPaths;
  readonly #warn: (message: string) => void;
  /** Records to be written, or only synced, in the next round. */
  readonly #dirty = new Map<string, ContainerRecord>();
  readonly #unsynced = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { paths: DataPaths; warn(message: string): void }) {
    this.#paths = options.paths;
    this.#warn = options.warn;
  }

  /** Writes a change that a user made. @throws SyscallError when the disk refuses */
  save(record: ContainerRecord): void {
    this.#dirty.delete(record.id);
    saveRecord(this.#paths, record);
    this.syncLater(record.id);
  }

  /**
   * Writes a change of state. A full disk must not keep a container from being stopped: the failure is
   * logged, and the next change saves everything.
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

  /** Drops a removed container's pending writes. */
  forget(id: string): void {
    this.#dirty.delete(id);
    this.#unsynced.delete(id);
  }

  /** Writes everything pending. Call it before exiting. */
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

/** Keeps a copy, in case the disk reports a write that it did not make. */
function copyOf(config: string): void {
  try {
    keepCopy(config);
  } catch {
    // Ignored for the reason given below.
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
    // It was removed, or the disk has a fault, which the next write will report.
  }
}
