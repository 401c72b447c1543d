// The content store: the blobs of an OCI image layout (image specification, image-layout.md). A blob is in its place
// when, and only when, all of it is there and its digest is right.

import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, fsync, linkSync, openSync } from 'node:fs';
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

/** What is known of a blob before its bytes are there. */
export type Expected = Partial<Pick<Descriptor, 'digest' | 'size'>>;

/** A blob that comes in. Who reads it sees its bytes on their way: a layer is unpacked while it is fetched. */
export interface Arrival extends AsyncIterable<Uint8Array> {
  /**
   * Takes what nobody has read, and puts the blob in its place. To be called in any case. Throws what the source threw,
   * and ImageError when the blob is not what is expected; nothing is stored then.
   */
  finish(): Promise<{ digest: string; size: number }>;
}

export interface Blobs {
  path(digest: string): string;
  /** In bytes; undefined when it is not there. */
  size(digest: string): number | undefined;
  /** Of manifests and configurations, which are small. Throws ImageError when the file does not have its digest. */
  read(digest: string): Buffer;
  stream(digest: string): Readable;
  /** Stores small blobs. */
  put(bytes: Uint8Array): { digest: string; size: number };
  /** Nothing is read of the source before somebody reads it, or finishes it. */
  arrival(source: AsyncIterable<Uint8Array>, expected?: Expected): Arrival;
  /** Stores what arrives. Throws ImageError, and stores nothing, when it is not what is expected. */
  receive(source: AsyncIterable<Uint8Array>, expected?: Expected): Promise<{ digest: string; size: number }>;
  /** Makes the file `path`, which has this digest, the blob too, in place of one that may be damaged. */
  adopt(path: string, digest: string): void;
  list(): Promise<string[]>;
  remove(digest: string): Promise<void>;
}

/** `temporary` must be on the same filesystem as `layout`: a rename is what makes a blob appear whole. */
export async function openBlobs(layout: string, temporary: string, tell: Tell = () => {}): Promise<Blobs> {
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
      // Of one piece while the next is on its way.
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
        renameOver(name, path(digest));
        syncInBackground(path(digest));
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
      // Who stops reading does not stop the blob.
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
      if (size(digest) !== bytes.length) writeWhole(path(digest), bytes, blobFile(temporary));
      return { digest, size: bytes.length };
    },
    arrival,
    receive: (source, expected) => arrival(source, expected).finish(),
    adopt(from, digest) {
      const name = temporaryName(temporary);
      linkSync(from, name);
      renameOver(name, path(digest));
      syncInBackground(path(digest));
    },
    list: async () =>
      (await readdir(directory)).filter(name => /^[0-9a-f]{64}$/.test(name)).map(hex => `sha256:${hex}`),
    remove: async digest => removeTreeNow(path(digest)),
  };
}

/**
 * For a power cut only, and a layer takes seconds: nobody waits for it. One that was cut off has not the size that its
 * manifest says, and is fetched again.
 */
function syncInBackground(path: string): void {
  const file = openSync(path, 'r');
  fsync(file, () => closeSync(file));
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

/** Names carry the pid, so that what a dead process left can be told from what a living one is writing. */
export const temporaryName = (directory: string): string =>
  join(directory, `${process.pid}-${randomBytes(6).toString('hex')}`);

/** How a file of the store is written: under a name of temporaryName(), so that nothing half-made stays. */
export const blobFile = (temporary: string): WholeFileOptions => ({
  mode: 0o644,
  durable: true,
  temporary: temporaryName(temporary),
});
