// The kernel's log, which dmesg(1) prints: the only place where the kernel names the process that it killed.

import { readFileSync } from 'node:fs';
import { call } from './call.ts';
import { mayFail } from './step.ts';
import { syslog } from './syscalls.ts';

/** <linux/syslog.h> SYSLOG_ACTION_READ_ALL: copies the end of the log without removing it. */
const READ_ALL = 3;
/** Bytes to read: several hundred lines, of which one report of a kill takes thirty. */
const LENGTH = 128 * 1024;

export interface KernelMessage {
  /**
   * Time in milliseconds since 1970, accurate to a few hundredths of a second: the log uses a clock that
   * starts at boot.
   */
  at: number;
  text: string;
}

/** The last lines of the kernel's log; none where this process may not read it. */
export function readKernelLog(): KernelMessage[] {
  const buffer = Buffer.alloc(LENGTH);
  const length = call(mayFail(syslog(READ_ALL, buffer), 'EPERM', 'ENOSYS'));
  if (length < 0) return [];
  const boot = Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  return decodeKernelLog(buffer.toString('utf8', 0, length), boot);
}

/** Decodes lines '<6>[ 5958.181492] text'. @param boot the time of the boot in milliseconds since 1970 */
export function decodeKernelLog(text: string, boot: number): KernelMessage[] {
  return text.split('\n').flatMap(line => {
    const match = /^<\d+>\[ *(\d+\.\d+)\](?:\[ *[CT]\d+\])? (.*)$/.exec(line);
    return match ? [{ at: boot + Number(match[1]) * 1000, text: match[2]! }] : [];
  });
}
