// Access to directories by descriptor, so that swapping a directory for a symbolic link has no effect.

import { call } from './call.ts';
import { AT, S_IF, STATX } from './constants.ts';
import type { PathArg } from './in-root.ts';
import { mayFail } from './step.ts';
import { getdents64, statx } from './syscalls.ts';

/** Shared by all calls: V8 counts memory outside its heap, and would collect garbage sooner. */
const entries = Buffer.allocUnsafeSlow(1 << 16);

/** Names in the directory `fd`, without '.' and '..', in the kernel's order. Each is its bytes and a NUL. */
export function namesIn(fd: number): Buffer[] {
  const names: Buffer[] = [];
  for (;;) {
    const length = call(getdents64(fd, entries));
    if (length === 0) return names;
    // struct linux_dirent64 (getdents(2)): inode 8, offset 8, record length 2, type 1, name.
    for (let at = 0; at < length; at += entries.readUInt16LE(at + 16)) {
      const name = entries.subarray(at + 19, entries.indexOf(0, at + 19) + 1);
      const isDots = name[0] === 0x2e && (name.length === 2 || (name.length === 3 && name[1] === 0x2e));
      if (!isDots) names.push(Buffer.from(name));
    }
  }
}

export interface FileStatus {
  /** Type and permissions: S_IF and 0o7777. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  inode: bigint;
  /** Length in bytes. */
  size: number;
  /** Modification time in nanoseconds since 1970. */
  mtime: bigint;
  ctime: bigint;
  /** Device number of a device node. */
  rdevMajor: number;
  rdevMinor: number;
  /** Device number of the filesystem that holds the file. */
  devMajor: number;
  devMinor: number;
}

/** lstat of `name` in the directory `fd`; undefined when it does not exist. The name '' means `fd` itself. */
export function statusAt(fd: number, name: PathArg): FileStatus | undefined {
  const buffer = Buffer.alloc(256);
  const step = statx(fd, name, AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH, STATX.BASIC_STATS, buffer);
  if (call(mayFail(step, 'ENOENT')) < 0) return undefined;
  return {
    nlink: buffer.readUInt32LE(16),
    uid: buffer.readUInt32LE(20),
    gid: buffer.readUInt32LE(24),
    mode: buffer.readUInt16LE(28),
    inode: buffer.readBigUInt64LE(32),
    size: Number(buffer.readBigUInt64LE(40)),
    ctime: time(buffer, 96),
    mtime: time(buffer, 112),
    rdevMajor: buffer.readUInt32LE(128),
    rdevMinor: buffer.readUInt32LE(132),
    devMajor: buffer.readUInt32LE(136),
    devMinor: buffer.readUInt32LE(140),
  };
}

/** struct statx_timestamp: i64 seconds, u32 nanoseconds. */
const time = (buffer: Buffer, at: number): bigint =>
  buffer.readBigInt64LE(at) * 1_000_000_000n + BigInt(buffer.readUInt32LE(at + 8));

/** An overlay whiteout: a character device 0:0 (kernel, Documentation/filesystems/overlayfs.rst). */
export const isWhiteout = (status: FileStatus): boolean =>
  (status.mode & S_IF.MT) === S_IF.CHR && status.rdevMajor === 0 && status.rdevMinor === 0;
