// Waits for processes to end, even processes that are not our children: a pidfd becomes readable when its
// process ends.
import { call } from './call.ts';
import { F, P, W } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { watchReadable } from './readable.ts';
import { fcntl, waitid } from './syscalls.ts';

/**
 * Resolves when the process has ended, whether it is a zombie or reaped. Until then the wait keeps the event
 * loop alive, as a child process of Node's does. The caller still owns the pidfd, and may close it at any
 * time. pidfd_open(2)
 * @param signal stops waiting: the promise rejects with the signal's reason
 */
export async function watchExit(pidfd: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  // The same pidfd may be watched twice, and closed by its owner, so epoll gets a copy.
  using copy = new Descriptor(call(fcntl(pidfd, F.DUPFD_CLOEXEC, 3)));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watch = watchReadable(copy.number, resolve);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    // Closing the copy is not enough: epoll watches the open file behind it, which the caller's descriptor
    // keeps open.
    watch.stop();
  }
}

/** How a process ended. */
export interface ExitStatus {
  /** Exit code, 0 to 255; 128 + n where signal n ended the process, as in shells. */
  readonly code: number;
  readonly signal?: number;
}

/** Decodes the status of 4 bytes that wait4(2) fills in. */
export function decodeWaitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { code: 128 + signal, signal };
}

/**
 * Reaps a child of this process that has ended, which frees its pid; undefined while the child runs. libuv
 * reaps only processes that it started itself, so it does not take the status first.
 * @throws SyscallError ECHILD when the process is not our child, or has already been reaped
 */
export function reap(pidfd: number): ExitStatus | undefined {
  const info = Buffer.alloc(128);
  call(waitid(P.PIDFD, pidfd, info, W.EXITED | W.NOHANG, null));
  // siginfo_t: si_code at 8, si_pid at 16, si_status at 24; all 0 when there is nothing to reap. waitid(2)
  if (info.readInt32LE(16) === 0) return undefined;
  const value = info.readInt32LE(24);
  return info.readInt32LE(8) === CLD_EXITED ? { code: value } : { code: 128 + value, signal: value };
}

/** <asm-generic/siginfo.h> */
const CLD_EXITED = 1;
