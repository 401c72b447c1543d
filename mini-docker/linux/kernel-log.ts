// The kernel's log, which dmesg(1) prints: the only place where the kernel names the process that it killed.

import { readFileSync } from 'node:fs';
import { call } from './call.ts';
import { mayFail } from './step.ts';
import { syslog } from './syscalls.ts';

/** <linux/syslog.h> SYSLOG_ACTION_READ_ALL: copies the end of the log, and leaves it there. */
const READ_ALL = 3;
/** Bytes: some hundred lines, of which one report of a kill takes thirty. */
const LENGTH = 128 * 1024;

export interface KernelMessage {
  /** Milliseconds since 1970, to a few hundredths of a second: the log counts from the boot, by a clock of its own. */
  at: number;
  text: string;
}

/** Its last lines; none where this process may not read it. */
export function readKernelLog(): KernelMessage[] {
  const buffer = Buffer.alloc(LENGTH);
  const length = call(mayFail(syslog(READ_ALL, buffer), 'EPERM', 'ENOSYS'));
  if (length < 0) return [];
  const boot = Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  return decodeKernelLog(buffer.toString('utf8', 0, length), boot);
}

/** Lines '<6>[ 5958.181492] text'. @param boot milliseconds since 1970 */
export function decodeKernelLog(text: string, boot: number): KernelMessage[] {
  return text.split('\n').flatMap(line => {
    const match = /^<\d+>\[ *(\d+\.\d+)\](?:\[ *[CT]\d+\])? (.*)$/.exec(line);
    return match ? [{ at: boot + Number(match[1]) * 1000, text: match[2]! }] : [];
  });
}
