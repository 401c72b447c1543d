// A pidfd stands for one process, whatever becomes of its pid. pidfd_open(2)
import { call } from './call.ts';
import { pidfdGetfd, pidfdSendSignal } from './syscalls.ts';

/** Sends a signal. A zombie takes it without effect. pidfd_send_signal(2) @throws SyscallError ESRCH when the process has been reaped */
export function killProcess(pidfd: number, signal: number): void {
  call(pidfdSendSignal(pidfd, signal, null, 0));
}

/**
 * A descriptor of our own (close-on-exec) for what the process has open as `number`: both share position and flags.
 * Wants the right to trace it. pidfd_getfd(2) @throws SyscallError EBADF when it has no such descriptor, ESRCH when it has ended
 */
export function takeFd(pidfd: number, number: number): number {
  return call(pidfdGetfd(pidfd, number, 0));
}
