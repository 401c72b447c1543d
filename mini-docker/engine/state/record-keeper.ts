// Decides when records are written. A change that a user asked for must survive a killed daemon and a power cut: it is
// written and synced before the answer. A change that the runtime can tell the next daemon (that a program runs) is
// written a little later, and a short-lived container never needs it. fsync(2) takes as long as the disk likes (0.2 to
// 20 ms): it runs on another thread, and those who wait at the same time share it.

import { keepCopy } from '../../linux/kept-file.ts';
import { syncPath } from '../../linux/sync-path.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerRecord } from './record.ts';
import { saveRecord } from './record-file.ts';

/** Milliseconds until a delayed write. */
const LATER = 1000;

export class RecordKeeper {
  readonly #paths: DataPaths;
  readonly #warn: (message: string) => void;
  /** Records to be written, or only synced, in the next round. */
  readonly #dirty = new Map<string, ContainerRecord>();
  readonly #unsynced = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Records that somebody waits for. */
  #wanted = new Set<string>();
  #syncing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

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

  /** Resolves when what was saved of this record is on the disk, as far as the disk tells. */
  settled(id: string): Promise<void> {
    this.#wanted.add(id);
    this.syncLater(id);
    this.#next ??= this.#syncing.then(() => {
      this.#next = undefined;
      this.#syncing = this.#sync([...this.#wanted]);
      this.#wanted.clear();
      return this.#syncing;
    });
    return this.#next;
  }

  async #sync(ids: readonly string[]): Promise<void> {
    const paths = ids.map(id => this.#paths.container(id));
    const changed = paths.flatMap(({ config, directory }) => [config, directory]);
    await Promise.all([...changed, this.#paths.containers].map(syncPath));
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
    await this.#sync(ids);
    for (const id of ids) copyOf(this.#paths.container(id).config);
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
