// Whether this process is root in a user namespace only: as the daemon of an ordinary user is, and all of a
// container's processes where the host runs it so. The kernel then allows less: no device nodes, no
// trusted.* attributes, and control groups only where they were delegated. user_namespaces(7)
import { readFileSync } from 'node:fs';

/** The map of the machine's own user namespace: each of the 2^32 - 1 ids is itself. */
const WHOLE = /^\s*0\s+0\s+4294967295\s*$/;

let inside: boolean | undefined;

export function inUserNamespace(): boolean {
  inside ??= !WHOLE.test(readFileSync('/proc/self/uid_map', 'utf8'));
  return inside;
}

/**
 * An owner of a file as this user namespace can have it: with one id only, every file is that one's. Any
 * other namespace leaves it to the kernel to refuse ids that are not mapped.
 */
export function knownOwner<T extends { uid: number; gid: number }>(owner: T): { uid: number; gid: number } {
  return inUserNamespace() && lastMappedId('uid') === 0 ? { uid: 0, gid: 0 } : owner;
}

/** Whether the kernel refuses setgroups(2) here, as it does where an ordinary user has mapped a single id. */
export function isSetgroupsDenied(): boolean {
  return inUserNamespace() && readFileSync('/proc/self/setgroups', 'utf8').trim() === 'deny';
}

const last: { uid?: number; gid?: number } = {};

/** The highest user or group id that this process's user namespace knows. */
export function lastMappedId(kind: 'uid' | 'gid'): number {
  last[kind] ??= readLastId(kind);
  return last[kind];
}

function readLastId(kind: 'uid' | 'gid'): number {
  const lines = readFileSync(`/proc/self/${kind}_map`, 'utf8').trim().split('\n');
  return Math.max(
    ...lines.map(line => {
      const [first = 0, , count = 1] = line.trim().split(/\s+/).map(Number);
      return first + count - 1;
    }),
  );
}
