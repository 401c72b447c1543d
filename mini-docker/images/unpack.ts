// Unpacks a tar archive below a directory. The archive may be hostile: unpack/tree.ts handles its names,
// unpack/entries.ts its kinds of files, unpack/allowance.ts its size.

import { pathArg } from '../formats/byte-names.ts';
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
import { normalise } from './unpack/paths.ts';
import { isCode, OPEN_DIRECTORY, Tree, type TreeOptions } from './unpack/tree.ts';
import { makeWhiteout } from './unpack/whiteout.ts';

export interface UnpackOptions extends TreeOptions {
  /** Directory below the root to unpack into; '' for the root. Resolved inside the root. */
  base?: string;
  /** Limit in bytes: of content, plus a block for each file or directory, even an empty one. */
  limit: number;
  /** Limit in bytes on names of directories that are kept until they get their times. */
  memory?: number;
  /** Translates the archive's owner. */
  owner?(named: { uid: number; gid: number }): { uid: number; gid: number };
}

export interface Unpacker extends TarConsumer {
  /** Called after all entries: gives directories their times. */
  finish(): void;
  /** Must always be called, even after an error. */
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
  /** Prefix of every path: '', or the base with a slash. */
  readonly #prefix: string;
  readonly #directoryTimes = new Map<string, bigint>();
  #content: FileContent | undefined;
  #size = 0;
  /** Path of the entry that is being unpacked, for errors. */
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
        // A later entry replaced it.
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
