// What a process must not take along into a container, and must not show there, though it is not yet the container's.
import type { Linux } from '../formats/oci/runtime-spec.ts';
import { KEYCTL, PR } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail } from '../linux/step.ts';
import { keyctlName, prctl } from '../linux/syscalls.ts';

/** Keys belong to no namespace: whoever has the session's keyring has the keys in it. session-keyring(7) */
export function ownKeyring(): Item[] {
  // ENOSYS: a kernel without keys.
  const join = mayFail(keyctlName(KEYCTL.JOIN_SESSION_KEYRING, null), 'ENOSYS');
  return [because("the keys of the daemon's session are not the container's", join)];
}

/**
 * As long as a process works on its own start it holds descriptors of the host. /proc/PID/fd, ptrace(2) and
 * pidfd_getfd(2) then take CAP_SYS_PTRACE over the host's user namespace; execve ends it. prctl(2), PR_SET_DUMPABLE
 */
export function undumpable(): Item[] {
  return [because('nobody in the container may look into it', prctl(PR.SET_DUMPABLE, 0, 0, 0, 0))];
}

/** In a pid namespace of its own nobody else sees a container that starts. */
export function privacy({ namespaces }: Linux): Item[] {
  const isAlone = namespaces.some(({ type, path }) => type === 'pid' && path === undefined);
  return isAlone ? [] : undumpable();
}
