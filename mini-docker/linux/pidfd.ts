// A pidfd refers to one process, even after its pid has been reused. pidfd_open(2)
import { call } from './call.ts';
import { pidfdGetfd, pidfdSendSignal } from './syscalls.ts';

/**
 * Sends a signal, without effect on a zombie. pidfd_send_signal(2)
 * @throws SyscallError ESRCH for a reaped process
 */
export function killProcess(pidfd: number, signal: number): void {
  call(pidfdSendSignal(pidfd, signal, null, 0));
}

/**
 * A close-on-exec copy of the descriptor `number` of the process: both share position and flags. The caller
 * needs permission to trace the process. pidfd_getfd(2)
 * @throws SyscallError EBADF when the process has no such descriptor, ESRCH when it has ended
 */
export function takeFd(pidfd: number, number: number): number {
  return call(pidfdGetfd(pidfd, number, 0));
}
