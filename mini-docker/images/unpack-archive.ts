import { createTarReader } from '../formats/tar/reader.ts';
import { decompressed } from './decompress.ts';
import { createUnpacker, type UnpackOptions } from './unpack.ts';

export interface UnpackArchiveOptions extends UnpackOptions {
  /** A tar: plain or compressed. */
  source: AsyncIterable<Uint8Array>;
  /** Refuse a compressed archive. */
  plain?: boolean;
  /** Receives the tar's bytes, to compute its digest. */
  onBytes?(bytes: Buffer): void;
}

/**
 * Unpacks below `rootFd` and nowhere else, whatever the archive contains and however directories are moved
 * meanwhile. Entries unpacked before an error stay. @returns the bytes of its files
 * @throws FormatError, ImageError when the archive is broken or hostile
 * @throws SyscallError for all other failures
 */
export async function unpackArchive(options: UnpackArchiveOptions): Promise<number> {
  const { source, plain, onBytes } = options;
  const unpacker = createUnpacker(options);
  try {
    const reader = createTarReader(unpacker);
    for await (const chunk of decompressed(source, plain)) {
      onBytes?.(chunk);
      reader.write(chunk);
    }
    reader.finish();
    unpacker.finish();
    return unpacker.size;
  } finally {
    unpacker.close();
  }
}
