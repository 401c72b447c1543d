// The content store: the blobs of an OCI image layout (image specification, image-layout.md). A blob appears
// in its place only when it is complete and its digest is correct.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, linkSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { digestOf, hexOf } from '../formats/oci/digest.ts';
import type { Descriptor } from '../formats/oci/image.ts';
import { ensureDirectory, readRegular, sizeOfRegular, type Tell } from '../linux/kept-file.ts';
import { removeTreeNow } from '../linux/remove-tree.ts';
import { renameOver } from '../linux/set-aside.ts';
import { type WholeFileOptions, writeWhole } from '../linux/whole-file.ts';
import { ImageError } from './errors.ts';

/** Bytes of the largest manifest or configuration. */
const LARGEST_READ = 32 << 20;

/** Properties of a blob that are known before its bytes arrive. */
export type Expected = Partial<Pick<Descriptor, 'digest' | 'size'>>;

/**
 * A blob that is arriving. Iterating over it yields its bytes as they come, so a layer is unpacked while it
 * is fetched.
 */
export interface Arrival extends AsyncIterable<Uint8Array> {
  /**
   * Reads the rest, and puts the blob in its place. It must always be called. Throws the source's error.
   * @throws ImageError when the blob is not the expected one; nothing is stored then
   */
  finish(): Promise<{ digest: string; size: number }>;
}

export interface Blobs {
  path(digest: string): string;
  /** Size in bytes; undefined when the blob is missing. */
  size(digest: string): number | undefined;
  /**
   * Reads a manifest or configuration, which are small. @throws ImageError when the file does not match its
   * digest
   */
  read(digest: string): Buffer;
  stream(digest: string): Readable;
  /** Stores a small blob. */
  put(bytes: Uint8Array): { digest: string; size: number };
  /** Reads nothing from the source until it is iterated or finished. */
  arrival(source: AsyncIterable<Uint8Array>, expected?: Expected): Arrival;
  /** Stores the blob. @throws ImageError when it is not the expected one; nothing is stored then */
  receive(source: AsyncIterable<Uint8Array>, expected?: Expected): Promise<{ digest: string; size: number }>;
  /** Makes the file `path`, which has this digest, the blob, and replaces one that may be damaged. */
  adopt(path: string, digest: string): void;
  list(): Promise<string[]>;
  remove(digest: string): Promise<void>;
}

/**
 * `temporary` must be on the same filesystem as `layout`, since a rename makes a blob appear whole.
 * @param options.note receives the digest of a blob before it appears
 */
export async function openBlobs(
  layout: string,
  temporary: string,
  options: { tell?: Tell; note?(digest: string): void } = {},
): Promise<Blobs> {
  const { tell = () => {}, note = () => {} } = options;
  const directory = join(layout, 'blobs', 'sha256');
  ensureDirectory(directory, { tell });
  const path = (digest: string) => join(directory, hexOf(digest));
  const size = (digest: string) => sizeOfRegular(path(digest));

  function arrival(source: AsyncIterable<Uint8Array>, expected: Expected = {}): Arrival {
    let stored: { digest: string; size: number } | undefined;
    let failure: unknown;
    async function* pass(): AsyncGenerator<Uint8Array> {
      const name = temporaryName(temporary);
      const file = await open(name, 'wx', 0o644);
      // The write of one piece, while the next is arriving.
      let writing = Promise.resolve();
      try {
        const hash = createHash('sha256');
        let received = 0;
        for await (const chunk of source) {
          received += chunk.length;
          if (expected.size !== undefined && received > expected.size) break;
          hash.update(chunk);
          await writing;
          writing = file.writeFile(chunk);
          writing.catch(() => {});
          yield chunk;
        }
        await writing;
        const digest = `sha256:${hash.digest('hex')}`;
        check({ digest, size: received }, expected);
        note(digest);
        renameOver(name, path(digest));
        stored = { digest, size: received };
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        await writing.catch(() => {});
        await file.close();
        await rm(name, { force: true });
      }
    }
    const passing = pass();
    return {
      // Leaving the loop early does not stop the blob.
      [Symbol.asyncIterator]: () => ({ next: () => passing.next() }),
      async finish() {
        while (!(await passing.next()).done);
        if (stored === undefined) throw failure;
        return stored;
      },
    };
  }

  return {
    path,
    size,
    read(digest) {
      const bytes = readRegular(path(digest), LARGEST_READ);
      if (digestOf(bytes) !== digest) throw new ImageError(`${path(digest)} is damaged: its digest is wrong`);
      return bytes;
    },
    stream: digest => createReadStream(path(digest), { highWaterMark: 1 << 18 }),
    put(bytes) {
      const digest = digestOf(bytes);
      if (size(digest) !== bytes.length) {
        note(digest);
        writeWhole(path(digest), bytes, blobFile(temporary));
      }
      return { digest, size: bytes.length };
    },
    arrival,
    receive: (source, expected) => arrival(source, expected).finish(),
    adopt(from, digest) {
      const name = temporaryName(temporary);
      linkSync(from, name);
      note(digest);
      renameOver(name, path(digest));
    },
    list: async () =>
      (await readdir(directory)).filter(name => /^[0-9a-f]{64}$/.test(name)).map(hex => `sha256:${hex}`),
    remove: async digest => removeTreeNow(path(digest)),
  };
}

function check(received: { digest: string; size: number }, expected: Expected): void {
  const what = expected.digest ?? 'blob';
  if (expected.size !== undefined && received.size > expected.size) {
    throw new ImageError(`${what} is longer than the ${expected.size} bytes that were announced`);
  }
  if (expected.size !== undefined && received.size !== expected.size) {
    throw new ImageError(`${what} has ${received.size} bytes, not the ${expected.size} that were announced`);
  }
  if (expected.digest !== undefined && received.digest !== expected.digest) {
    throw new ImageError(`${what} arrived as ${received.digest}: the content is not what was announced`);
  }
}

/** Names contain the pid, which tells the leftovers of a dead process from the files of a living one. */
export const temporaryName = (directory: string): string =>
  join(directory, `${process.pid}-${randomBytes(6).toString('hex')}`);

/** How a file of the store is written: under a temporaryName(), so that no partial file stays. */
export const blobFile = (temporary: string): WholeFileOptions => ({
  mode: 0o644,
  temporary: temporaryName(temporary),
});
