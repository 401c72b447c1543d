// Volumes on disk: <data root>/volumes/NAME/_data holds the files, and volume.json beside it the description.
// One rename creates a volume and one removes it, so a killed daemon leaves whole volumes, and temporary
// directories that the next one deletes.

import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { badParameter, notFound } from '../../formats/errors.ts';
import { unlessMissing } from '../../formats/quietly.ts';
import { map, object, parse, string } from '../../formats/schema.ts';
import { encodeTimestamp } from '../../formats/timestamp.ts';
import { ensureDirectory, isUsable, loadKept, saveKept, sweep, type Tell } from '../../linux/kept-file.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { removeTree, removeTreeNow } from '../../linux/remove-tree.ts';
import { renameOver } from '../../linux/set-aside.ts';
import { syncPath } from '../../linux/sync-path.ts';
import { Lock } from '../core/lock.ts';

export interface Volume {
  name: string;
  /** RFC 3339 */
  created: string;
  labels: Record<string, string>;
  /** The driver's options: {} for a plain directory. */
  options: Record<string, string>;
}

/** The arguments of mount(8): -t, the device, -o. */
export interface VolumeFilesystem {
  type: string;
  device: string;
  options: string[];
}

export interface VolumeSettings {
  labels?: Record<string, string>;
  options?: Record<string, string>;
}

const CREATING = '.creating-';
const REMOVING = '.removing-';
const COPYING = '.copying';
/** Bytes; a file name may have 255, and temporary names have a prefix. */
const LONGEST_NAME = 200;

export class VolumeStore {
  readonly #root: string;
  readonly #volumes = new Map<string, Volume>();
  /** Locks of names that are held or waited for. */
  readonly #locks = new Map<string, { lock: Lock; holders: number }>();

  /**
   * Reads the existing volumes; a directory without a readable description counts as a volume, since it
   * holds data.
   */
  constructor(root: string, tell: Tell) {
    this.#root = root;
    ensureDirectory(root, { mode: 0o711, tell });
    sweep(root, { unwanted: name => name.startsWith(CREATING) || name.startsWith(REMOVING), tell });
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isDirectory()) continue;
      // No client could have created, or could ask for, a name that is not UTF-8.
      if (name.includes('\uFFFD') || statSync(join(root, name), { throwIfNoEntry: false }) === undefined) {
        tell(`${join(root, name)} is left alone: its name cannot be a volume's`);
        continue;
      }
      if (isUsable(join(root, name))) {
        sweep(join(root, name), { unwanted: each => each === COPYING, tell });
        ensureDirectory(this.dataPath(name), { mode: 0o755, tell });
      }
      this.#volumes.set(name, readVolume(join(root, name), name, tell));
    }
  }

  /** All volumes, sorted by name. */
  list(): Volume[] {
    return [...this.#volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): Volume | undefined {
    return this.#volumes.get(name);
  }

  /** The directory of its files, whether it exists or not. */
  dataPath(name: string): string {
    return join(this.#root, name, '_data');
  }

  /** The directory for files that are being copied into it. */
  copyPath(name: string): string {
    return join(this.#root, name, COPYING);
  }

  /** The directory to mount in containers. @param options those of a volume that does not exist yet */
  source(name: string, options: Record<string, string> = {}): string {
    const known = this.#volumes.get(name)?.options ?? options;
    return binds(known) ? known.device! : this.dataPath(name);
  }

  /** The filesystem to mount, if the volume stands for one; undefined for a directory. */
  filesystem(name: string, options: Record<string, string> = {}): VolumeFilesystem | undefined {
    const { type, device, o = '' } = this.#volumes.get(name)?.options ?? options;
    if (device === undefined || binds({ device, o })) return undefined;
    return { type: type!, device, options: o.split(',').filter(Boolean) };
  }

  /** Makes a directory again that was deleted by another program; it is empty. The caller holds its lock. */
  restore(name: string): void {
    const directory = join(this.#root, name);
    if (existsSync(join(directory, 'volume.json')) && existsSync(this.dataPath(name))) return;
    makeDirectories(directory, 0o701);
    makeDirectories(this.dataPath(name), 0o755);
    describe(directory, this.#volumes.get(name)!);
  }

  /**
   * Locks a name while the volume is created, filled or removed. Take several in the order of their
   * names.
   */
  async acquire(name: string): Promise<Disposable> {
    const entry = this.#locks.get(name) ?? { lock: new Lock(), holders: 0 };
    this.#locks.set(name, entry);
    entry.holders += 1;
    const held = await entry.lock.acquire();
    return {
      [Symbol.dispose]: () => {
        held[Symbol.dispose]();
        entry.holders -= 1;
        if (entry.holders === 0) this.#locks.delete(name);
      },
    };
  }

  /** Creates a volume whose name was checked and is free. The caller holds its lock. */
  create(name: string, { labels = {}, options = {} }: VolumeSettings): Volume {
    const volume = { name, created: encodeTimestamp(BigInt(Date.now()) * 1_000_000n), labels, options };
    const building = join(this.#root, `${CREATING}${name}`);
    try {
      mkdirSync(building, { mode: 0o701 });
      mkdirSync(join(building, '_data'), { mode: 0o755 });
      describe(building, volume);
      renameOver(building, join(this.#root, name));
    } catch (error) {
      removeTreeNow(building);
      throw error;
    }
    this.#volumes.set(name, volume);
    return volume;
  }

  /** Resolves when the names of all volumes are on the disk. */
  settled(): Promise<void> {
    return syncPath(this.#root);
  }

  /** Removes an unused volume; a host directory that it binds stays. The caller holds its lock. */
  async remove(name: string): Promise<void> {
    const retired = join(this.#root, `${REMOVING}${name}`);
    // Another program may have removed it first.
    unlessMissing(() => renameSync(join(this.#root, name), retired));
    this.#volumes.delete(name);
    await removeTree(retired);
  }
}

function readVolume(directory: string, name: string, tell: Tell): Volume {
  const path = join(directory, 'volume.json');
  const known = loadKept(path, bytes => decodeVolume(bytes, name), tell);
  if (known !== undefined) return known;
  const { mtimeMs } = statSync(directory);
  const created = encodeTimestamp(BigInt(Math.floor(mtimeMs)) * 1_000_000n);
  return { name, created, labels: {}, options: {} };
}

const volumeFile = object({ labels: map(string), options: map(string) }, { created: string });

function decodeVolume(bytes: Buffer, name: string): Volume {
  const { created, labels = {}, options = {} } = parse(bytes, 'volume.json', volumeFile);
  return { name, created, labels, options };
}

/**
 * @throws notFound when the driver is not local (there are no plugins); badParameter when the name is too
 * long
 */
export function checkNewVolume(name: string, driver: string | undefined): void {
  if (driver && driver !== 'local') {
    throw notFound(
      `error looking up volume plugin ${driver}: plugin "${driver}" not found (there is only the driver local)`,
    );
  }
  if (Buffer.byteLength(name) > LONGEST_NAME)
    throw badParameter(`create ${name}: a volume's name has at most ${LONGEST_NAME} bytes`);
}

/**
 * Checks the options of docker's driver local: `type`, `device` and `o`, as for mount(8). With o=bind the
 * volume is a directory of the host; any other filesystem is mounted in the containers that use it, and not
 * on the host.
 * @throws badParameter when the options are invalid, in Docker's words
 */
export function checkVolumeOptions(name: string, options: Record<string, string>): void {
  const wrong = (why: string) => badParameter(`create ${name}: ${why}`);
  const unknown = Object.keys(options).find(key => !['type', 'device', 'o'].includes(key));
  if (unknown !== undefined) throw wrong(`invalid option: ${JSON.stringify(unknown)}`);
  if (Object.keys(options).length === 0) return;
  const { type, device, o = '' } = options;
  if (!device) throw wrong('missing required option: "device"');
  if (binds(options)) {
    const others = o.split(',').filter(word => !['bind', 'rbind', 'rw', ''].includes(word));
    if (others.length > 0) throw wrong(`a bind mount has no option ${JSON.stringify(others[0])} here`);
    if (!device.startsWith('/')) throw wrong(`relative device: ${JSON.stringify(device)}`);
  } else if (!type) throw wrong('missing required option: "type"');
}

function describe(directory: string, volume: Volume): void {
  saveKept(join(directory, 'volume.json'), JSON.stringify({ version: 1, ...volume }), { durable: true });
}

const binds = ({ device, o = '' }: Record<string, string>): boolean =>
  Boolean(device) && o.split(',').some(word => word === 'bind' || word === 'rbind');
