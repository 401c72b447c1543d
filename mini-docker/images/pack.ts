// Packs files as a tar archive: an overlay's upper directory as a layer with the image specification's
// whiteouts, any other tree as an ordinary archive. All files are opened by descriptor, so a container that
// moves its files meanwhile can spoil its own archive and nothing else.
import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { decodeName, pathArg } from '../formats/byte-names.ts';
import { encodeEntry } from '../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry, type TarType } from '../formats/tar/entry.ts';
import { call } from '../linux/call.ts';
import { O, S_IF } from '../linux/constants.ts';
import { type FileStatus, isWhiteout, namesIn, statusAt } from '../linux/directory.ts';
import { type PathArg, readLink } from '../linux/in-root.ts';
import { openPlainFile } from '../linux/plain-file.ts';
import { mayFail } from '../linux/step.ts';
import { close, openat } from '../linux/syscalls.ts';
import { xattr, xattrNames } from '../linux/xattrs.ts';
import { isOpaque, OPAQUE_MARK, whiteoutName } from './whiteouts.ts';

export interface PackOptions {
  /** The directory to pack; the caller closes it. */
  fd: number;
  /**
   * Pack only this entry of it, under the name `as`; else the whole content of the directory, without the
   * directory itself.
   */
  only?: { name: string; as: string };
  /**
   * Whether it is an overlay's upper directory, whose whiteouts and opaque directories are written in the
   * form of a layer's tar.
   */
  whiteouts: boolean;
  /** Limit on times, in nanoseconds since 1970: later ones are replaced by it. SOURCE_DATE_EPOCH. */
  latest?: bigint;
  /** Translates the owner for the archive. */
  owner?(found: { uid: number; gid: number }): { uid: number; gid: number };
  /** Whether to leave out a path with everything below it. */
  skip?(path: string): boolean;
  /** Another file to pack in the place of this path, by its directory and its name there. */
  graft?(path: string): { directory: number; name: string } | undefined;
}

interface Level {
  fd: number;
  /** Prefix of the names in it: 'etc/'. */
  prefix: string;
  /** Remaining names, the next one last. */
  names: Buffer[];
}

/** PATH_MAX: a longer path could not be named when it is unpacked. limits.h(0p) */
const LONGEST_PATH = 4096;
const BATCH = 1 << 18;
const SMALL_FILE = 1 << 16;
const readAsync = promisify(read);

const TYPES: ReadonlyMap<number, TarType> = new Map([
  [S_IF.REG, 'file'],
  [S_IF.DIR, 'directory'],
  [S_IF.LNK, 'symlink'],
  [S_IF.CHR, 'character'],
  [S_IF.BLK, 'block'],
  [S_IF.IFO, 'fifo'],
]);

/** The archive, in pieces of about 256 KiB, its entries sorted by the bytes of their names. */
export async function* pack(options: PackOptions): AsyncGenerator<Buffer> {
  const { whiteouts, latest, owner = found => found, skip = () => false, graft = () => undefined } = options;
  let batch: Uint8Array[] = [];
  let batched = 0;
  /** The first name of each file with several links. */
  const links = new Map<string, string>();

  const add = (bytes: Uint8Array): void => {
    batch.push(bytes);
    batched += bytes.length;
  };
  const flush = (): Buffer => {
    const bytes = Buffer.concat(batch);
    batch = [];
    batched = 0;
    return bytes;
  };

  function addEmpty(path: string, mtime: bigint): void {
    add(encodeEntry({ path, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime }));
  }

  function describe(path: string, type: TarType, status: FileStatus): TarEntry {
    const mtime = latest !== undefined && status.mtime > latest ? latest : status.mtime;
    return {
      path,
      type,
      mode: status.mode & 0o7777,
      ...owner({ uid: status.uid, gid: status.gid }),
      size: type === 'file' ? status.size : 0,
      mtime,
    };
  }

  /** Directories in progress, outermost first. Not recursive: a tree may be deeper than the call stack. */
  const open: Level[] = [];

  async function* packOne(parent: number, name: PathArg, path: string): AsyncGenerator<Buffer> {
    if (Buffer.byteLength(path) > LONGEST_PATH) {
      throw new Error(`cannot pack …${path.slice(-40)}: its path is longer than ${LONGEST_PATH} bytes`);
    }
    const other = graft(path);
    if (other !== undefined) [parent, name] = [other.directory, other.name];
    const status = statusAt(parent, name);
    const type = status === undefined ? undefined : TYPES.get(status.mode & S_IF.MT);
    // It was removed meanwhile; or it is a socket, for which tar has no type.
    if (status === undefined || type === undefined || skip(path)) return;
    const entry = describe(path, type, status);
    if (whiteouts && isWhiteout(status)) addEmpty(whiteoutPath(path), entry.mtime);
    else if (type !== 'directory' && status.nlink > 1 && isRepeated(entry, status)) add(encodeEntry(entry));
    else if (type === 'symlink') {
      add(encodeEntry({ ...entry, linkname: decodeName(readLink(parent, name)) }));
    } else if (type === 'file' || type === 'directory') {
      const fd = type === 'file' ? openFile(parent, name, path) : openDirectory(parent, name);
      // It was replaced meanwhile.
      if (fd === undefined) return;
      if (type === 'directory') beginDirectory(fd, entry);
      else {
        try {
          yield* packFile(fd, entry);
        } finally {
          call(close(fd));
        }
      }
    } else add(encodeEntry({ ...entry, major: status.rdevMajor, minor: status.rdevMinor }));
    if (batched >= BATCH) yield flush();
  }

  function isRepeated(entry: TarEntry, { devMajor, devMinor, inode }: FileStatus): boolean {
    const key = `${devMajor}:${devMinor}:${inode}`;
    const first = links.get(key);
    if (first === undefined) {
      links.set(key, entry.path);
      return false;
    }
    Object.assign(entry, { type: 'hardlink', linkname: first, size: 0 });
    return true;
  }

  function beginDirectory(fd: number, entry: TarEntry): void {
    open.push({ fd, prefix: `${entry.path}/`, names: [] });
    add(encodeEntry({ ...entry, ...attributes(fd, entry.path, whiteouts) }));
    if (whiteouts && isOpaque(fd)) addEmpty(`${entry.path}/${OPAQUE_MARK}`, entry.mtime);
    open.at(-1)!.names = namesIn(fd).sort(Buffer.compare).reverse();
  }

  async function* packOpen(): AsyncGenerator<Buffer> {
    for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
      const name = level.names.pop();
      if (name !== undefined) yield* packOne(level.fd, name, level.prefix + decodeName(name.subarray(0, -1)));
      else {
        open.pop();
        if (level.fd !== options.fd) call(close(level.fd));
      }
    }
  }

  async function* packFile(fd: number, entry: TarEntry): AsyncGenerator<Buffer> {
    add(encodeEntry({ ...entry, ...attributes(fd, entry.path, whiteouts) }));
    let left = entry.size;
    if (left <= SMALL_FILE) {
      const content = Buffer.alloc(left + padding(left));
      // A file that has shrunk meanwhile is padded with zeros, since the header has announced its size.
      readUpTo(fd, content.subarray(0, left));
      add(content);
      return;
    }
    yield flush();
    let ended = false;
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(BATCH, left));
      const got: number = ended ? 0 : (await readAsync(fd, chunk, 0, chunk.length, null)).bytesRead;
      ended = got === 0;
      const piece = ended ? chunk.fill(0) : chunk.subarray(0, got);
      left -= piece.length;
      yield piece;
    }
    add(new Uint8Array(padding(entry.size)));
  }

  try {
    if (options.only !== undefined) yield* packOne(options.fd, pathArg(options.only.name), options.only.as);
    else open.push({ fd: options.fd, prefix: '', names: namesIn(options.fd).sort(Buffer.compare).reverse() });
    yield* packOpen();
  } finally {
    for (const { fd } of open) if (fd !== options.fd) call(close(fd));
  }
  add(END_OF_ARCHIVE);
  yield flush();
}

function openFile(parent: number, name: PathArg, path: string): number | undefined {
  try {
    return openPlainFile(parent, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause;
    throw new Error(`cannot read ${path}: a program in the container has a lease on it`, { cause });
  }
}

function openDirectory(parent: number, name: PathArg): number | undefined {
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
  const fd = call(mayFail(openat(parent, name, flags, 0), 'ENOENT', 'ENOTDIR', 'ELOOP'));
  return fd < 0 ? undefined : fd;
}

function readUpTo(fd: number, buffer: Buffer): void {
  for (let at = 0; at < buffer.length; ) {
    const got = readSync(fd, buffer, at, buffer.length - at, null);
    if (got === 0) return;
    at += got;
  }
}

function whiteoutPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return path.slice(0, slash + 1) + whiteoutName(path.slice(slash + 1));
}

/**
 * The attributes that a layer contains. Overlayfs attributes that refer to content elsewhere cannot be
 * packed.
 */
function attributes(fd: number, path: string, isUpper: boolean): { xattrs?: Map<string, Buffer> } {
  const xattrs = new Map<string, Buffer>();
  for (const bytes of xattrNames(fd)) {
    const name = decodeName(bytes.subarray(0, -1));
    if (isUpper && /^trusted\.overlay\.(?:redirect|metacopy)$/.test(name)) {
      throw new Error(
        `cannot pack ${path}: it has ${name} (mount the overlay with redirect_dir=off,metacopy=off)`,
      );
    }
    if (name !== 'security.capability' && !/^user\.(?!overlay\.)/.test(name)) continue;
    const value = xattr(fd, bytes);
    if (value !== undefined) xattrs.set(name, value);
  }
  return xattrs.size > 0 ? { xattrs } : {};
}
