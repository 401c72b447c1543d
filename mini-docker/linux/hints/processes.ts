// Other processes, limits, seccomp and bpf; and failures of any call that a filter answers.

import { CAP, RLIMIT } from '../constants.ts';
import { readQuietly } from '../proc/file.ts';
import { readStatus } from '../proc/status.ts';
import { type Failed, type Hint, hint } from './hint.ts';
import { capable, inUserNamespace, sysctl } from './probes.ts';

function limitName(failed: Failed): string {
  return `RLIMIT_${Object.entries(RLIMIT).find(([, number]) => number === failed.number(1))?.[0]}`;
}

/** struct rlimit64 of prlimit's new limits. */
function wanted(failed: Failed): { soft: bigint; hard: bigint } {
  const words = Buffer.from(failed.bytes(2));
  return { soft: words.readBigUInt64LE(0), hard: words.readBigUInt64LE(8) };
}

const amount = (value: bigint): string => (value === 0xffff_ffff_ffff_ffffn ? 'unlimited' : String(value));

/** The rows of /proc/PID/limits in the order of RLIMIT_*. */
const limitRows = [
  ...['cpu time', 'file size', 'data size', 'stack size', 'core file size', 'resident set', 'processes'],
  ...['open files', 'locked memory', 'address space', 'file locks', 'pending signals', 'msgqueue size'],
  ...['nice priority', 'realtime priority', 'realtime timeout'],
];

function hardLimit({ pid }: Failed, resource: number): string | undefined {
  return new RegExp(`^Max ${limitRows[resource]}\\s+\\S+\\s+(\\S+)`, 'm').exec(
    readQuietly(`/proc/${pid}/limits`) ?? '',
  )?.[1];
}

function underFilter({ pid, seen }: Failed): boolean {
  return readStatus(seen ? pid : 'self')?.seccomp === 'filter';
}

export const processHints: readonly Hint[] = [
  hint(['prlimit64'], 'EINVAL', failed => {
    const { soft, hard } = wanted(failed);
    if (soft > hard) return `the soft limit, ${amount(soft)}, is above the hard one, ${amount(hard)}`;
  }),
  hint(['prlimit64'], 'EPERM', failed => {
    const { hard } = wanted(failed);
    const most = sysctl('fs/nr_open');
    if (failed.number(1) === RLIMIT.NOFILE && most !== undefined && hard > BigInt(most))
      return `${limitName(failed)} can be at most ${most} (/proc/sys/fs/nr_open), not ${amount(hard)}`;
  }),
  hint(['prlimit64'], 'EPERM', failed =>
    capable(failed, CAP.SYS_RESOURCE)
      ? undefined
      : `without CAP_SYS_RESOURCE a hard limit can only be lowered, and ${limitName(failed)} is at ${hardLimit(failed, failed.number(1))} for ${amount(wanted(failed).hard)} asked`,
  ),
  hint(['pidfd_open'], '*', failed => {
    const pid = failed.number(0);
    const tgid = pid > 0 ? readStatus(pid)?.tgid : undefined;
    return tgid === undefined || tgid === pid
      ? undefined
      : `${pid} is a thread, of process ${tgid}, and no process`;
  }),
  hint(['kill', 'pidfd_send_signal', 'pidfd_getfd', 'prlimit64'], 'ESRCH', () => 'the process has ended'),
  hint(
    ['pidfd_getfd'],
    'EPERM',
    failed =>
      `taking another process's descriptor wants the right to trace it: the same user and no fewer capabilities, or CAP_SYS_PTRACE${capable(failed, CAP.SYS_PTRACE) ? ' over its user namespace' : ''}${(sysctl('kernel/yama/ptrace_scope') ?? '0') === '0' ? '' : ' (/proc/sys/kernel/yama/ptrace_scope narrows it)'}`,
  ),
  hint(
    ['wait4', 'waitid'],
    'ECHILD',
    () => 'it is no child of this process, or its exit has been waited for already',
  ),
  hint(
    ['setsid'],
    'EPERM',
    () => 'this process leads a process group already: only a child of it can begin a session',
  ),
  hint(['clone'], 'EAGAIN', failed => {
    const group = /^\d+:[^:]*\bpids\b[^:]*:(.*)$/m.exec(readQuietly(`/proc/${failed.pid}/cgroup`) ?? '')?.[1];
    const limits = [`the cgroup's pids.max${group === undefined ? '' : ` (of ${group})`}`];
    limits.push(`the user's limit (ulimit -u, ${hardLimit(failed, RLIMIT.NPROC)})`);
    limits.push(`the machine's (/proc/sys/kernel/pid_max, ${sysctl('kernel/pid_max')}, and threads-max)`);
    return `there are as many processes as are allowed: by ${limits.join(', by ')}`;
  }),
  hint(
    ['seccomp', 'prctl'],
    'EACCES',
    failed =>
      (failed.call === 'seccomp' || failed.number(0) === PR_SET_SECCOMP) &&
      'a seccomp filter takes CAP_SYS_ADMIN, or a process that can gain no rights: prctl(PR_SET_NO_NEW_PRIVS) first',
  ),
  hint(['bpf'], 'EPERM', failed => {
    const off = sysctl('kernel/unprivileged_bpf_disabled');
    const has = capable(failed, CAP.BPF) || capable(failed, CAP.SYS_ADMIN);
    if (failed.seen && (!has || inUserNamespace(failed)))
      return `it takes CAP_BPF, and for cgroups CAP_NET_ADMIN${off === '0' ? '' : ` (/proc/sys/kernel/unprivileged_bpf_disabled is ${off})`}: run as root of the machine`;
  }),
];

/** Entries for any system call, which are tried after all others. */
export const filterHints: readonly Hint[] = [
  hint(
    ['*'],
    'EPERM',
    failed =>
      underFilter(failed) &&
      capable(failed, CAP.SYS_ADMIN) &&
      `root may do this, but a seccomp filter is in force that may forbid ${failed.call}, as in a container: run that with --security-opt seccomp=unconfined or --privileged`,
  ),
  hint(['*'], 'ENOSYS', failed =>
    underFilter(failed)
      ? `this kernel is too old to have ${failed.call}(2), or a seccomp filter hides it`
      : `this kernel, ${sysctl('kernel/osrelease')}, does not have ${failed.call}(2)`,
  ),
];

const PR_SET_SECCOMP = 22;
