// System calls on files under the identity of another user.
import { call } from './call.ts';
import { PR } from './constants.ts';
import { prctl, setfsgid, setfsuid } from './syscalls.ts';

/** <linux/securebits.h> */
export const NO_SETUID_FIXUP = 1 << 2;

/**
 * Runs `work` so that the files it creates belong to this user, while our capabilities stay. It is needed
 * where our own id has no mapping, such as root's on an idmapped mount. The identity is that of this one
 * thread: `work` must not wait, and must not start a process or a thread. setfsuid(2)
 */
export function asFileUser<T>({ uid, gid }: { uid: number; gid: number }, work: () => T): T {
  call(prctl(PR.SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0));
  call(setfsgid(gid));
  call(setfsuid(uid));
  try {
    return work();
  } finally {
    call(setfsuid(0));
    call(setfsgid(0));
    call(prctl(PR.SET_SECUREBITS, 0, 0, 0, 0));
  }
}
