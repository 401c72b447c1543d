// Volumes on disk: <data root>/volumes/NAME/_data holds the files, volume.json beside it what is known of them. Each
// comes into being by one rename and goes by one, so that a killed daemon leaves whole volumes and what the next one
// sweeps away.

import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '../../formats/errors.ts';
import { map, object, parse, string } from '../../formats/schema.ts';
import { encodeTimestamp } from '../../formats/timestamp.ts';
import { ensureDirectory, loadKept, saveKept, sweep, type Tell } from '../../linux/kept-file.ts';
import { removeTree, removeTreeNow } from '../../linux/remove-tree.ts';
import { renameOver } from '../../linux/set-aside.ts';
import { badParameter } from '../core/errors.ts';
import { Lock } from '../core/lock.ts';

export interface Volume {
  name: string;
  /** RFC 3339 */
  created: string;
  labels: Record<string, string>;
  /** Of the driver: {} for a directory of ours. */
  options: Record<string, string>;
}

/** As mount(8) has it: -t, the device, -o. */
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
/** Bytes; a file name has 255, and ours have a prefix for a while. */
const LONGEST_NAME = 200;

export class VolumeStore {
  readonly #root: string;
  readonly #volumes = new Map<string, Volume>();
  /** Of names that somebody holds or waits for. */
  readonly #locks = new Map<string, { lock: Lock; holders: number }>();

  /** Reads what is there; a directory without a readable description is a volume still: it is somebody's data. */
  constructor(root: string, tell: Tell) {
    this.#root = root;
    ensureDirectory(root, { mode: 0o711, tell });
    sweep(root, { unwanted: name => name.startsWith(CREATING) || name.startsWith(REMOVING), tell });
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isDirectory()) continue;
      // A name that is not UTF-8 is none that anybody gave, or could ask for.
      if (name.includes('\uFFFD') || statSync(join(root, name), { throwIfNoEntry: false }) === undefined) {
        tell(`${join(root, name)} is left alone: it has a name that no volume has`);
        continue;
      }
      sweep(join(root, name), { unwanted: each => each === COPYING, tell });
      ensureDirectory(this.dataPath(name), { mode: 0o755, tell });
      this.#volumes.set(name, readVolume(join(root, name), name, tell));
    }
  }

  /** In the order of their names. */
  list(): Volume[] {
    return [...this.#volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): Volume | undefined {
    return this.#volumes.get(name);
  }

  /** Where its files lie, whether it is there yet or not. */
  dataPath(name: string): string {
    return join(this.#root, name, '_data');
  }

  /** For files on their way into it. */
  copyPath(name: string): string {
    return join(this.#root, name, COPYING);
  }

  /** What is mounted in containers: the directory that the volume stands for. @param options of one that is not there yet */
  source(name: string, options: Record<string, string> = {}): string {
    const known = this.#volumes.get(name)?.options ?? options;
    return binds(known) ? known.device! : this.dataPath(name);
  }

  /** What is mounted in its place, where it stands for a filesystem; undefined for a directory. */
  filesystem(name: string, options: Record<string, string> = {}): VolumeFilesystem | undefined {
    const { type, device, o = '' } = this.#volumes.get(name)?.options ?? options;
    if (device === undefined || binds({ device, o })) return undefined;
    return { type: type!, device, options: o.split(',').filter(Boolean) };
  }

  /** What somebody removed behind our back is made again, empty. The caller holds its lock. */
  restore(name: string): void {
    const directory = join(this.#root, name);
    if (existsSync(join(directory, 'volume.json')) && existsSync(this.dataPath(name))) return;
    mkdirSync(directory, { mode: 0o701, recursive: true });
    mkdirSync(this.dataPath(name), { mode: 0o755, recursive: true });
    describe(directory, this.#volumes.get(name)!);
  }

  /** Held by whoever makes it, fills it, or removes it. Take several in the order of their names. */
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

  /** Its name was checked; it is not there. The caller holds its lock. */
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

  /** The caller holds its lock, and knows that nobody uses it. What it binds of the host stays. */
  async remove(name: string): Promise<void> {
    const retired = join(this.#root, `${REMOVING}${name}`);
    try {
      renameSync(join(this.#root, name), retired);
    } catch (error) {
      // Somebody was faster than we.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
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

/** @throws notFound: other drivers than local are plugins, which there are none of; badParameter for a long name */
export function checkNewVolume(name: string, driver: string | undefined): void {
  if (driver && driver !== 'local') {
    throw new ExpectedError(
      'notFound',
      `error looking up volume plugin ${driver}: plugin "${driver}" not found (there is only the driver local)`,
    );
  }
  if (Buffer.byteLength(name) > LONGEST_NAME)
    throw badParameter(`create ${name}: a volume's name has at most ${LONGEST_NAME} bytes`);
}

/**
 * Of docker's driver local: `type`, `device` and `o`, as mount(8) has them. With o=bind the volume is a directory of the
 * host; any other filesystem is mounted in the containers that use it, and the host sees none of it.
 * @throws badParameter in Docker's words
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
  saveKept(join(directory, 'volume.json'), JSON.stringify({ version: 1, ...volume }));
}

const binds = ({ device, o = '' }: Record<string, string>): boolean =>
  Boolean(device) && o.split(',').some(word => word === 'bind' || word === 'rbind');
