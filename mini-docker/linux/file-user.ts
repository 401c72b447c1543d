// Calls that files are to see as another user's.
import { call } from './call.ts';
import { PR } from './constants.ts';
import { prctl, setfsgid, setfsuid } from './syscalls.ts';

/** <linux/securebits.h> */
export const NO_SETUID_FIXUP = 1 << 2;

/**
 * What `work` makes belongs to this user, and our capabilities stay: for who is nobody where it is made, as root is on an
 * idmapped mount. It is about this one thread, so `work` must not wait for anything, and start nothing. setfsuid(2)
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
