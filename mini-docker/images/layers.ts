// Unpacked layers, ready as overlay's lower directories: ROOT/NAME/diff, and ROOT/NAME/layer.json, which
// exists only when the layer is complete. A layer's files depend on its own tar alone, so its diff id names
// it, and images share it.

import { createHash } from 'node:crypto';
import { chmodSync, closeSync, openSync, renameSync, statfsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '../formats/oci/digest.ts';
import { quietly } from '../formats/quietly.ts';
import { integer, object, parse } from '../formats/schema.ts';
import { O } from '../linux/constants.ts';
import { ensureDirectory, readRegular, type Tell } from '../linux/kept-file.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { removeTree } from '../linux/remove-tree.ts';
import { renameOver } from '../linux/set-aside.ts';
import { writeWhole } from '../linux/whole-file.ts';
import { blobFile, temporaryName } from './blobs.ts';
import { ImageError } from './errors.ts';
import { unpackArchive } from './unpack-archive.ts';

export interface Layers {
  /** The directory of the layer's files, which need not exist. */
  directory(diffId: string): string;
  has(diffId: string): boolean;
  /** Bytes of its files; undefined when it is not unpacked. */
  size(diffId: string): number | undefined;
  /**
   * Unpacks a layer from its tar (gzip, zstd or plain), unless it exists. On failure nothing is left.
   * @throws ImageError when the tar is broken, does not match `diffId`, or unpacks to more than `limit` bytes
   */
  unpack(options: UnpackLayerOptions): Promise<void>;
  /** Names of the existing layers, for `remove`. */
  list(): Promise<string[]>;
  nameOf(diffId: string): string;
  remove(name: string): Promise<void>;
}

export interface UnpackLayerOptions {
  diffId: string;
  source: () => AsyncIterable<Uint8Array>;
  /** Limit in bytes; default: the free space on the disk less a reserve. */
  limit?: number;
  /** Whether the source is a blob whose digest is this diff id, so that no check is left. */
  verified?: boolean;
}

/**
 * 96 bits of the diff id, in 16 characters. mount(2) takes one page of options: with '/diff' and a separator
 * this leaves room for 180 lower directories, while full digests would leave it for 56.
 */
const nameOf = (diffId: string): string =>
  Buffer.from(hexOf(diffId), 'hex').subarray(0, 12).toString('base64url');

/** @param options.note receives the diff id of a layer before it appears */
export function openLayers(
  root: string,
  temporary: string,
  options: { tell?: Tell; note?(diffId: string): void } = {},
): Layers {
  const { tell = () => {}, note = () => {} } = options;
  ensureDirectory(root, { mode: 0o710, tell });
  const sizes = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();
  const description = (name: string) => join(root, name, 'layer.json');

  function size(diffId: string): number | undefined {
    const known = sizes.get(diffId);
    if (known !== undefined) return known;
    const found = readSize(description(nameOf(diffId)));
    if (found !== undefined) sizes.set(diffId, found);
    return found;
  }

  async function unpack(options: UnpackLayerOptions): Promise<void> {
    const { diffId, limit = spaceFor(root), verified = false } = options;
    const staging = temporaryName(temporary);
    makeDirectories(join(staging, 'diff'));
    // Containers see it as their root directory, unless the layer sets a mode; the daemon's umask must not
    // affect it.
    chmodSync(join(staging, 'diff'), 0o755);
    try {
      const unpacked = await unpackTar({
        directory: join(staging, 'diff'),
        source: options.source(),
        limit,
        skipDigest: verified,
      });
      if (!verified && unpacked.diffId !== diffId) {
        throw new ImageError(
          `layer ${diffId} unpacked as ${unpacked.diffId}: its content is not what was announced`,
        );
      }
      const text = JSON.stringify({ diffId, size: unpacked.size });
      writeWhole(join(staging, 'layer.json'), text, blobFile(temporary));
      // Another process may have been faster; the same diff id means the same files. An incomplete layer is
      // replaced.
      if (size(diffId) === undefined) {
        note(diffId);
        renameOver(staging, join(root, nameOf(diffId)));
      }
    } finally {
      await removeTree(staging).catch((error: Error) =>
        tell(`${staging} cannot be removed: ${error.message}`),
      );
    }
  }

  return {
    nameOf,
    directory: diffId => join(root, nameOf(diffId), 'diff'),
    has: diffId => size(diffId) !== undefined,
    size,
    unpack(options) {
      const { diffId } = options;
      if (size(diffId) !== undefined) return Promise.resolve();
      let running = underWay.get(diffId);
      if (running === undefined) {
        running = unpack(options).finally(() => underWay.delete(diffId));
        underWay.set(diffId, running);
      }
      return running;
    },
    list: () => readdir(root),
    async remove(name) {
      sizes.clear();
      // Renamed first, so that a partial layer never looks like a complete one.
      const gone = temporaryName(temporary);
      renameSync(join(root, name), gone);
      await removeTree(gone).catch((error: Error) => tell(`${gone} cannot be removed: ${error.message}`));
    },
  };
}

const layerFile = object({}, { size: integer });

/** undefined for an incomplete layer, or an unreadable description. */
function readSize(path: string): number | undefined {
  return quietly(() => parse(readRegular(path), path, layerFile).size);
}

/**
 * A layer may fill the disk except for a twentieth of it: a decompression bomb must not take the whole
 * machine down.
 */
export function spaceFor(path: string): number {
  const { bavail, blocks, bsize } = statfsSync(path);
  return Math.max(0, bavail - blocks / 20) * bsize;
}

/** Unpacks a layer's tar into `directory`, and returns the digest of the tar and the bytes of its files. */
export async function unpackTar(options: {
  directory: string;
  source: AsyncIterable<Uint8Array>;
  limit: number;
  /**
   * The source's digest was verified, and is the diff id if the source is a plain tar. The returned digest is
   * meaningless.
   */
  skipDigest?: boolean;
}): Promise<{ diffId: string; size: number }> {
  const { directory, source, limit, skipDigest = false } = options;
  const rootFd = openSync(directory, O.RDONLY | O.DIRECTORY);
  const hash = createHash('sha256');
  const onBytes = (bytes: Buffer) => {
    if (!skipDigest) hash.update(bytes);
  };
  try {
    const size = await unpackArchive({
      rootFd,
      whiteouts: true,
      limit,
      source,
      onBytes,
      plain: skipDigest,
    });
    return { diffId: `sha256:${hash.digest('hex')}`, size };
  } finally {
    closeSync(rootFd);
  }
}
