// The state that hints describe, as /proc and /sys show it.

import { closeSync, fstatSync, openSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { CAP } from '../constants.ts';
import { rawSyscall } from '../libc.ts';
import { readQuietly } from '../proc/file.ts';
import { type MountInfo, mountAt, mountOf, readMountinfo } from '../proc/mountinfo.ts';
import { type NamespaceName, namespaceInode } from '../proc/namespaces.ts';
import { readStatus } from '../proc/status.ts';
import { hostArchitecture } from '../step.ts';
import { ioctl } from '../syscalls.ts';
import type { Failed } from './hint.ts';

/** A path through which we reach the file that the process calls `path`. */
export function reachable({ pid }: Failed, path: string): string {
  if (pid === 'self') return path;
  const absolute = path.startsWith('/') ? path : join(readlinkSync(`/proc/${pid}/cwd`), path);
  return `/proc/${pid}/root${normalize(absolute)}`;
}

export function statOf(failed: Failed, path: string): Stats | undefined {
  return statSync(reachable(failed, path), { throwIfNoEntry: false });
}

/** The path as in mountinfo: absolute and, in our own process, without symbolic links. */
export function absolute(failed: Failed, path: string): string {
  if (failed.pid === 'self') return realpathSync(path);
  return normalize(join(readlinkSync(`/proc/${failed.pid}/cwd`), path));
}

export function mountsOf({ pid }: Failed): MountInfo[] {
  return readMountinfo(pid) ?? [];
}

/** The mount that has the path as its mount point. */
export function mountRootedAt(failed: Failed, path: string): MountInfo | undefined {
  return mountAt(mountsOf(failed), absolute(failed, path));
}

export function mountHolding(failed: Failed, path: string): MountInfo | undefined {
  return mountOf(mountsOf(failed), absolute(failed, path));
}

/** The file behind a descriptor of the process: a path, 'pipe:[7]', 'anon_inode:[pidfd]', … */
export function fdPath(failed: Failed, index: number): string {
  const fd = failed.number(index);
  return fd === -100 ? readlinkSync(`/proc/${failed.pid}/cwd`) : readlinkSync(`/proc/${failed.pid}/fd/${fd}`);
}

/** A path that is relative to a descriptor (…at(2) calls); an empty path means the descriptor's own. */
export function pathAt(failed: Failed, fdIndex: number, pathIndex: number): string {
  const path = failed.text(pathIndex);
  if (path.startsWith('/')) return path;
  return path === '' ? fdPath(failed, fdIndex) : join(fdPath(failed, fdIndex), path);
}

/** /proc/sys/NAME; undefined where the kernel does not have it. */
export function sysctl(name: string): string | undefined {
  return readQuietly(`/proc/sys/${name}`)?.trim();
}

export function capable(failed: Failed, capability: number): boolean {
  const effective = readStatus(failed.pid)?.capabilities.effective ?? 0n;
  return ((effective >> BigInt(capability)) & 1n) === 1n;
}

/** 'CAP_SYS_ADMIN' */
export function capabilityName(capability: number): string {
  return `CAP_${Object.entries(CAP).find(([, number]) => number === capability)?.[0] ?? capability}`;
}

/** The first user namespace has a fixed inode: PROC_USER_INIT_INO in <linux/proc_ns.h>. */
const INITIAL_USER_NAMESPACE = 0xefff_fffd;

export function inUserNamespace({ pid }: Failed): boolean {
  return namespaceInode(pid, 'user') !== INITIAL_USER_NAMESPACE;
}

/** NS_GET_USERNS, ioctl_nsfs(2) */
const NS_GET_USERNS = 0xb701;

/**
 * Whether the process's user namespace owns its namespace of this type: otherwise its capabilities do not
 * count there.
 */
export function ownsNamespace({ pid }: Failed, name: NamespaceName): boolean {
  const fd = openSync(`/proc/${pid}/ns/${name}`, 'r');
  try {
    // Not by call(), whose errors ask for hints.
    const number = ioctl.syscall.numbers[hostArchitecture()];
    const owner = rawSyscall(number, [BigInt(fd), BigInt(NS_GET_USERNS), null]);
    // EPERM: the owner is an ancestor that we cannot see.
    if (owner < 0) return false;
    const { ino } = fstatSync(owner);
    closeSync(owner);
    return ino === namespaceInode(pid, 'user');
  } finally {
    closeSync(fd);
  }
}
