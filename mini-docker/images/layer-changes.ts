// Compares each layer of an image with those below it: the files that it adds, changes and deletes, and the
// bytes that a layer above hides.
import { closeSync, openSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { decodeName } from '../formats/byte-names.ts';
import { O, S_IF } from '../linux/constants.ts';
import { isWhiteout, namesIn, statusAt } from '../linux/directory.ts';
import { openBeneath } from '../linux/in-root.ts';
import { isOpaque } from './whiteouts.ts';

export interface Changes {
  /** Number of files and other entries, except directories. */
  count: number;
  /**
   * Bytes: for added and changed files the new ones, for deleted files those that stay in the layer below.
   */
  size: number;
  /** Largest first; a deleted directory is one entry. */
  largest: { path: string; size: number }[];
}

export interface LayerChanges {
  added: Changes;
  changed: Changes;
  deleted: Changes;
  /** Bytes of this layer's files that a layer above hides. */
  hidden: number;
}

/** A file, or, with `children`, a directory in the merged view of the layers so far. */
interface Node {
  layer: number;
  size: number;
  children?: Map<string, Node>;
}

const LARGEST = 5;
/** Directory entries that are read before other work gets a turn. */
const PATIENCE = 500;

/** `directories`: unpacked layers, bottom first. */
export async function layerChanges(directories: readonly string[]): Promise<LayerChanges[]> {
  const root: Node = { layer: -1, size: 0, children: new Map() };
  const all: LayerChanges[] = [];
  let entries = 0;

  /** @returns the number and bytes of the hidden files */
  function hide(node: Node): { count: number; size: number } {
    if (node.children === undefined) {
      const layer = all[node.layer];
      if (layer !== undefined) layer.hidden += node.size;
      return { count: 1, size: node.size };
    }
    const sum = { count: 0, size: 0 };
    for (const child of node.children.values()) {
      const { count, size } = hide(child);
      sum.count += count;
      sum.size += size;
    }
    return sum;
  }

  /** Reads by descriptor: an image's paths may be of the kernel's maximal length, without our prefix. */
  async function apply(
    directory: number,
    { path, into, layer }: { path: string; into: Map<string, Node>; layer: number },
  ): Promise<void> {
    const changes = all[layer]!;
    for (const bytes of namesIn(directory)) {
      if (++entries % PATIENCE === 0) await breathe();
      const name = decodeName(bytes.subarray(0, -1));
      const child = `${path}/${name}`;
      const status = statusAt(directory, bytes);
      if (status === undefined) continue;
      const below = into.get(name);
      const kind = status.mode & S_IF.MT;
      using opened = kind === S_IF.DIR ? openDirectory(directory, bytes) : undefined;
      const isDirectory = opened !== undefined;
      const hidesBelow = !isDirectory || below?.children === undefined || isOpaque(opened.fd);
      let isFile = false;
      if (below !== undefined && hidesBelow) {
        isFile = below.children === undefined;
        const gone = hide(below);
        const isReplaced = isFile && !isDirectory && !isWhiteout(status);
        if (!isReplaced && gone.count > 0) note(changes.deleted, child, gone);
        into.delete(name);
      }
      if (isWhiteout(status)) continue;
      if (isDirectory) {
        let node = into.get(name);
        if (node === undefined) {
          node = { layer, size: 0, children: new Map() };
          into.set(name, node);
        }
        await apply(opened.fd, { path: child, into: node.children!, layer });
        continue;
      }
      const isCounted = kind === S_IF.REG && (status.nlink === 1 || firstName(status.inode));
      const size = isCounted ? status.size : 0;
      into.set(name, { layer, size });
      note(isFile ? changes.changed : changes.added, child, { count: 1, size });
    }
  }

  let inodes = new Set<bigint>();
  /** True for the first of a file's names, so that it counts once. */
  function firstName(inode: bigint): boolean {
    if (inodes.has(inode)) return false;
    inodes.add(inode);
    return true;
  }

  for (const [layer, directory] of directories.entries()) {
    inodes = new Set();
    all.push({ added: none(), changed: none(), deleted: none(), hidden: 0 });
    using opened = held(openSync(directory, O.RDONLY | O.DIRECTORY));
    await apply(opened.fd, { path: '', into: root.children!, layer });
  }
  return all;
}

const none = (): Changes => ({ count: 0, size: 0, largest: [] });

function note(changes: Changes, path: string, { count, size }: { count: number; size: number }): void {
  changes.count += count;
  changes.size += size;
  const { largest } = changes;
  if (largest.length === LARGEST && largest.at(-1)!.size >= size) return;
  largest.push({ path, size });
  largest.sort((a, b) => b.size - a.size);
  largest.splice(LARGEST);
}

const held = (fd: number) => ({ fd, [Symbol.dispose]: () => closeSync(fd) });

const openDirectory = (parent: number, name: Buffer) =>
  held(openBeneath(parent, name, O.RDONLY | O.DIRECTORY));
