// A tar archive becomes files below a directory. The archive may be an attacker's: what may go wrong with its names is
// in unpack/tree.ts, with its kinds of files in unpack/entries.ts, with its size in unpack/allowance.ts.

import type { TarEntry } from '../formats/tar/entry.ts';
import type { TarConsumer } from '../formats/tar/reader.ts';
import { openInRoot, setTimes, withFd } from '../linux/in-root.ts';
import { asEntryFault } from './entry-faults.ts';
import { ImageError } from './errors.ts';
import { Allowance } from './unpack/allowance.ts';
import { FileContent } from './unpack/content.ts';
import {
  describeFile,
  makeDirectory,
  makeFile,
  makeHardLink,
  makeNode,
  makeSymlink,
} from './unpack/entries.ts';
import { normalise, pathArg } from './unpack/paths.ts';
import { isCode, OPEN_DIRECTORY, Tree, type TreeOptions } from './unpack/tree.ts';
import { makeWhiteout } from './unpack/whiteout.ts';

export interface UnpackOptions extends TreeOptions {
  /** Where in the root the archive is unpacked: '' for the directory itself. Resolved inside the root. */
  base?: string;
  /** How many bytes there may be: of content, and a block for each file or directory, be it empty. */
  limit: number;
  /** How many bytes of names of directories may be kept until they get their times. */
  memory?: number;
  /** Who is to own what the archive says belongs to `named`. */
  owner?(named: { uid: number; gid: number }): { uid: number; gid: number };
}

export interface Unpacker extends TarConsumer {
  /** When all entries have been unpacked: gives directories their times. */
  finish(): void;
  /** In any case, also after an error. */
  close(): void;
  /** Bytes of all files so far. */
  readonly size: number;
}

export function createUnpacker(options: UnpackOptions): Unpacker {
  return new ArchiveUnpacker(options);
}

class ArchiveUnpacker implements Unpacker {
  readonly #allowance: Allowance;
  readonly #tree: Tree;
  readonly #owner: UnpackOptions['owner'];
  readonly #base: string;
  /** In front of every path: '', or the base with a slash. */
  readonly #prefix: string;
  readonly #directoryTimes = new Map<string, bigint>();
  #content: FileContent | undefined;
  #size = 0;
  /** For errors: of the entry that is being unpacked. */
  #current = '';

  constructor(options: UnpackOptions) {
    this.#allowance = new Allowance({ bytes: options.limit, memory: options.memory });
    this.#tree = new Tree(options, this.#allowance);
    this.#owner = options.owner;
    this.#base = normalise(options.base ?? '');
    this.#prefix = this.#base === '' ? '' : `${this.#base}/`;
  }

  get size(): number {
    return this.#size;
  }

  entry(described: TarEntry): void {
    this.#current = described.path;
    this.#ofArchive(() => this.#make(described));
  }

  #ofArchive(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw asEntryFault(error, this.#current);
    }
  }

  #make(described: TarEntry): void {
    const { uid, gid } = described;
    const entry = this.#owner === undefined ? described : { ...described, ...this.#owner({ uid, gid }) };
    const path = this.#prefix + normalise(entry.path);
    this.#allowance.storeFile();
    if (this.#tree.whiteouts && makeWhiteout(this.#tree, path)) return;
    if (entry.type === 'directory') this.#directory(entry, path.replace(/\/$/, ''));
    else if (path === this.#prefix) {
      throw new ImageError(`the archive's root is a ${entry.type}, not a directory`);
    } else if (entry.type === 'file') this.#file(entry, path);
    else if (entry.type === 'symlink') makeSymlink(this.#tree, entry, path);
    else if (entry.type === 'hardlink') {
      makeHardLink(this.#tree, entry, { path, target: this.#prefix + normalise(entry.linkname ?? '') });
    } else makeNode(this.#tree, entry, path);
  }

  #directory(entry: TarEntry, path: string): void {
    if (path === this.#base) withFd(this.#tree.open(path), fd => describeFile(fd, entry));
    else makeDirectory(this.#tree, entry, path);
    this.#allowance.remember(path);
    this.#directoryTimes.set(path, entry.mtime);
  }

  #file(entry: TarEntry, path: string): void {
    this.#content = new FileContent(makeFile(this.#tree, path), entry);
    this.#size += entry.size;
  }

  data(bytes: Buffer, position: number): void {
    if (this.#content === undefined) return;
    this.#allowance.store(bytes.length);
    const content = this.#content;
    this.#ofArchive(() => content.write(bytes, position));
  }

  end(): void {
    this.#ofArchive(() => this.#content?.finish());
    this.#closeContent();
  }

  finish(): void {
    this.#tree.close();
    for (const [path, mtime] of this.#directoryTimes) {
      try {
        withFd(openInRoot(this.#tree.rootFd, pathArg(path), OPEN_DIRECTORY), fd => setTimes(fd, null, mtime));
      } catch (error) {
        // A later entry put something else in its place.
        if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
      }
    }
  }

  close(): void {
    this.#tree.close();
    this.#closeContent();
  }

  #closeContent(): void {
    this.#content?.close();
    this.#content = undefined;
  }
}
