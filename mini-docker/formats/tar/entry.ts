// A tar archive's description of one file, in any of its dialects.

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

export interface TarEntry {
  /** Path in the archive, without trailing slashes: it may be absolute or contain '..'. See byte-names.ts. */
  path: string;
  type: TarType;
  /** Permission bits, setuid, setgid and sticky: 0o7777 at most. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of content, holes included; 0 for everything but files. */
  size: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** Target of a symbolic or hard link. */
  linkname?: string;
  /** Device number of a device node. */
  major?: number;
  minor?: number;
  /** Extended attributes by their full name: 'security.capability'. */
  xattrs?: ReadonlyMap<string, Uint8Array>;
}

export const BLOCK = 512;

/** Bytes of padding after content of this size. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** Two blocks of zeros end an archive. */
export const END_OF_ARCHIVE: Uint8Array = new Uint8Array(2 * BLOCK);

/** The letters of the header's typeflag (POSIX pax, "ustar Interchange Format"). */
export const TYPE_FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
