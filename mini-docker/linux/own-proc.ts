// A proc file system of this process's own, mounted nowhere. /proc/sys/net has other entries in each network namespace, and
// the kernel keeps all that were looked up in a proc file system under one name and goes through them at each lookup
// (proc_sys_compare() in fs/proc/proc_sysctl.c). In one that is replaced now and then there are few.
import { call } from './call.ts';
import { FSCONFIG, FSMOUNT, FSOPEN } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { SyscallError } from './syscall-error.ts';
import { fsconfig, fsmount, fsopen } from './syscalls.ts';

/** Uses after which it is replaced, which takes a tenth of a millisecond. */
const MOST_USES = 100;

let mount: Descriptor | undefined;
let uses = 0;

/** Its path, to be used once and immediately; /proc where this process may mount no proc file system. */
export function ownProc(): string {
  if (uses++ % MOST_USES === 0) {
    mount?.close();
    mount = mountProc();
    mount?.moveUp();
  }
  return mount === undefined ? '/proc' : `/proc/self/fd/${mount.number}`;
}

function mountProc(): Descriptor | undefined {
  try {
    using context = new Descriptor(call(fsopen('proc', FSOPEN.CLOEXEC)));
    call(fsconfig(context.number, FSCONFIG.CMD_CREATE, null, null, 0));
    return new Descriptor(call(fsmount(context.number, FSMOUNT.CLOEXEC, 0)));
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
