// Stores the files of an image archive as they arrive, since its index may come last. Names in the archive
// are only looked up here, and never used as file names.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createTarReader, type TarConsumer } from '../formats/tar/reader.ts';
import { removeTree } from '../linux/remove-tree.ts';
import { temporaryName } from './blobs.ts';
import { decompressed } from './decompress.ts';
import { ImageError } from './errors.ts';

export interface SpooledFile {
  path: string;
  digest: string;
  size: number;
}

export interface Spool {
  /** Follows the archive's symbolic and hard links. @throws ImageError when there is no such file */
  file(name: string): SpooledFile;
  has(name: string): boolean;
  /** Reads an index. @throws ImageError when it is too large to be one */
  text(name: string): string;
  remove(): Promise<void>;
}

const TEXT_LIMIT = 16 << 20;
const LINK_LIMIT = 16;

/** On failure nothing is left. @throws FormatError, ImageError when the archive is invalid */
export async function spoolArchive(options: {
  source: AsyncIterable<Uint8Array>;
  temporary: string;
  /** Limit in bytes for all files together. */
  limit: number;
}): Promise<Spool> {
  const directory = temporaryName(options.temporary);
  mkdirSync(directory);
  const remove = () => removeTree(directory);
  const consumer = createConsumer(directory, options.limit);
  try {
    const reader = createTarReader(consumer);
    for await (const chunk of decompressed(options.source)) reader.write(chunk);
    reader.finish();
  } catch (error) {
    consumer.close();
    await remove();
    throw error;
  }

  function file(name: string): SpooledFile {
    let at = clean(name);
    for (let i = 0; i < LINK_LIMIT; i++) {
      const found = consumer.entries.get(at);
      if (found === undefined) break;
      if (typeof found !== 'string') return found;
      at = found;
    }
    throw new ImageError(`the archive lacks ${JSON.stringify(name)}`);
  }

  return {
    file,
    has: name => consumer.entries.has(clean(name)),
    text(name) {
      const { path, size } = file(name);
      if (size > TEXT_LIMIT) throw new ImageError(`the archive's ${name} is too large: ${size} bytes`);
      return readFileSync(path, 'utf8');
    },
    remove,
  };
}

/** './a//b/../c' → 'a/c' */
const clean = (name: string): string => join('/', name).slice(1);

interface SpoolConsumer extends TarConsumer {
  /** Files by name; for links, the name of the target. */
  entries: Map<string, SpooledFile | string>;
  close(): void;
}

function createConsumer(directory: string, limit: number): SpoolConsumer {
  const entries: SpoolConsumer['entries'] = new Map();
  let current: { fd: number; hash: Hash; path: string; name: string } | undefined;
  let size = 0;
  let total = 0;
  /** Bytes, including files that a later one of the same name replaces. */
  let files = 0;
  return {
    entries,
    entry({ path: name, type, linkname = '' }) {
      if (type === 'symlink') entries.set(clean(name), clean(join('/', name, '..', linkname)));
      if (type === 'hardlink') entries.set(clean(name), clean(linkname));
      if (type !== 'file') return;
      const path = join(directory, String(files++));
      current = { fd: openSync(path, 'wx'), hash: createHash('sha256'), path, name: clean(name) };
      size = 0;
    },
    data(bytes, position) {
      if (current === undefined) return;
      if (position !== size)
        throw new ImageError('the archive has sparse files, which image archives may not contain');
      size += bytes.length;
      total += bytes.length;
      if (total > limit) throw new ImageError(`the archive unpacks to more than the ${limit} bytes allowed`);
      current.hash.update(bytes);
      for (let done = 0; done < bytes.length; ) done += writeSync(current.fd, bytes, done);
    },
    end() {
      if (current === undefined) return;
      closeSync(current.fd);
      const { path, hash, name } = current;
      entries.set(name, { path, digest: `sha256:${hash.digest('hex')}`, size });
      current = undefined;
    },
    close() {
      if (current !== undefined) closeSync(current.fd);
    },
  };
}
