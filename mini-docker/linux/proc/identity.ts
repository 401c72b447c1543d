// A pid is used again after its process has ended; a pid together with the time of the start is not.
import { readFileSync } from 'node:fs';
import { call } from '../call.ts';
import { mayFail } from '../step.ts';
import { close, pidfdOpen } from '../syscalls.ts';
import { readStat } from './stat.ts';

/** Names one process for good, also on disk and across reboots. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot. */
  readonly startTime: number;
  /** A reboot starts pids and ticks anew. */
  readonly bootId: string;
}

let bootId: string | undefined;

function currentBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}

/** undefined when there is no such process. A zombie still is one. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = readStat(pid)?.startTime;
  return startTime === undefined ? undefined : { pid, startTime, bootId: currentBootId() };
}

/** Whether it is still there (perhaps as a zombie), and its pid no other process's. */
export function sameProcess(identity: ProcessIdentity): boolean {
  return identity.bootId === currentBootId() && readStat(identity.pid)?.startTime === identity.startTime;
}

/**
 * A pidfd (pidfd_open(2), close-on-exec) of that very process, for the caller to close; undefined when it is gone.
 * The check comes after the open: what has the identity now has had the pid since before the open.
 */
export function openProcess(identity: ProcessIdentity): number | undefined {
  // EINVAL and ENOENT: the pid is now that of another process's thread.
  const pidfd = call(mayFail(pidfdOpen(identity.pid, 0), 'ESRCH', 'EINVAL', 'ENOENT'));
  if (pidfd < 0) return undefined;
  if (sameProcess(identity)) return pidfd;
  call(close(pidfd));
  return undefined;
}
