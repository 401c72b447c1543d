// Protects the daemon's secrets in a process that is about to enter a container: its keys, and access to its
// memory.
import type { Linux } from '../formats/oci/runtime-spec.ts';
import { KEYCTL, PR } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail } from '../linux/step.ts';
import { keyctlName, prctl } from '../linux/syscalls.ts';

/** Keys belong to no namespace: a process that has the session's keyring has its keys. session-keyring(7) */
export function ownKeyring(): Item[] {
  // ENOSYS: the kernel has no keyrings.
  const join = mayFail(keyctlName(KEYCTL.JOIN_SESSION_KEYRING, null), 'ENOSYS');
  return [because("the keys of the daemon's session are not the container's", join)];
}

/**
 * While a process works on its own start, it holds descriptors of the host. An undumpable process protects
 * them: /proc/PID/fd, ptrace(2) and pidfd_getfd(2) then need CAP_SYS_PTRACE in the host's user namespace.
 * execve ends it. prctl(2), PR_SET_DUMPABLE
 */
export function undumpable(): Item[] {
  return [because('no process in the container may look into it', prctl(PR.SET_DUMPABLE, 0, 0, 0, 0))];
}

/** With a pid namespace of its own, no other container can see it while it starts. */
export function privacy({ namespaces }: Linux): Item[] {
  const isAlone = namespaces.some(({ type, path }) => type === 'pid' && path === undefined);
  return isAlone ? [] : undumpable();
}
