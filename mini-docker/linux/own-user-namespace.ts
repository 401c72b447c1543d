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

/** The highest user or group id that this process's user namespace knows. */
export function lastMappedId(kind: 'uid' | 'gid'): number {
  const lines = readFileSync(`/proc/self/${kind}_map`, 'utf8').trim().split('\n');
  return Math.max(
    ...lines.map(line => {
      const [first = 0, , count = 1] = line.trim().split(/\s+/).map(Number);
      return first + count - 1;
    }),
  );
}
