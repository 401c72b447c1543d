// A pid is reused after its process has ended; a pid together with its process's start time is unique.
import { readFileSync } from 'node:fs';
import { call } from '../call.ts';
import { mayFail } from '../step.ts';
import { close, pidfdOpen } from '../syscalls.ts';
import { readStat } from './stat.ts';

/** Identifies one process permanently, even when stored on disk and read after a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot. */
  readonly startTime: number;
  /** Id of the boot, because a reboot restarts pids and ticks. */
  readonly bootId: string;
}

let bootId: string | undefined;

/** Differs between boots of a machine. random(4) */
export function currentBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}

/** The identity of a process, or of a zombie; undefined when there is no such process. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = readStat(pid)?.startTime;
  return startTime === undefined ? undefined : { pid, startTime, bootId: currentBootId() };
}

/** Whether the process still exists, possibly as a zombie, so that its pid has not been reused. */
export function sameProcess(identity: ProcessIdentity): boolean {
  return identity.bootId === currentBootId() && readStat(identity.pid)?.startTime === identity.startTime;
}

/** Whether the process still runs; a zombie has left its namespaces and closed its files. */
export function isRunning(identity: ProcessIdentity): boolean {
  return sameProcess(identity) && readStat(identity.pid)?.state !== 'Z';
}

/**
 * A close-on-exec pidfd of exactly this process, which the caller has to close; undefined when it has ended.
 * pidfd_open(2). The identity is checked after the open: a process that has it then had the pid before the
 * open too.
 */
export function openProcess(identity: ProcessIdentity): number | undefined {
  // EINVAL and ENOENT: the number is now the id of a thread of another process.
  const pidfd = call(mayFail(pidfdOpen(identity.pid, 0), 'ESRCH', 'EINVAL', 'ENOENT'));
  if (pidfd < 0) return undefined;
  if (sameProcess(identity)) return pidfd;
  call(close(pidfd));
  return undefined;
}
