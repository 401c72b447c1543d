import { createTarReader } from '../formats/tar/reader.ts';
import { decompressed } from './decompress.ts';
import { createUnpacker, type UnpackOptions } from './unpack.ts';

export interface UnpackArchiveOptions extends UnpackOptions {
  /** A tar: plain or compressed. */
  source: AsyncIterable<Uint8Array>;
  /** Refuse a compressed one. */
  plain?: boolean;
  /** Sees the tar's bytes: for its digest. */
  onBytes?(bytes: Buffer): void;
}

/**
 * Unpacks below `rootFd`, and nothing anywhere else, whatever the archive says and whoever moves directories about
 * meanwhile. Gives the bytes of its files. Throws FormatError or ImageError for a broken or hostile archive, SyscallError for the rest;
 * what was unpacked until then stays.
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
