// Creating and joining namespaces: clone(2), unshare(2), setns(2). namespaces(7), user_namespaces(7),
// kernel/nsproxy.c
import { existsSync, readlinkSync } from 'node:fs';
import { CAP, CLONE } from '../constants.ts';
import { type NamespaceName, namespaceInode } from '../proc/namespaces.ts';
import { allPids } from '../proc/pids.ts';
import { readStatus } from '../proc/status.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { capable, fdPath, inUserNamespace, sysctl } from './probes.ts';

const types = {
  NEWNS: 'mnt',
  NEWPID: 'pid',
  NEWUTS: 'uts',
  NEWIPC: 'ipc',
  NEWNET: 'net',
  NEWCGROUP: 'cgroup',
  NEWUSER: 'user',
  NEWTIME: 'time',
} as const satisfies Partial<Record<keyof typeof CLONE, NamespaceName>>;

type Flag = keyof typeof types;

const makers = ['clone', 'unshare'];

/** The namespaces that a clone or unshare asks for. */
function asked(failed: Failed): Flag[] {
  return (Object.keys(types) as Flag[]).filter(flag => failed.has(0, CLONE[flag]));
}

function isMultithreaded({ pid }: Failed): boolean {
  return (readStatus(pid)?.threads ?? 1) > 1;
}

export const namespaceHints: readonly Hint[] = [
  hint(makers, 'EINVAL', failed => {
    const missing = asked(failed).find(flag => !existsSync(`/proc/self/ns/${types[flag]}`));
    return (
      missing &&
      `this kernel has no ${types[missing]} namespaces (no /proc/self/ns/${types[missing]}): leave CLONE_${missing} out`
    );
  }),
  hint(
    ['clone'],
    'EINVAL',
    failed =>
      (failed.has(0, CLONE.NEWNS | CLONE.FS) || failed.has(0, CLONE.NEWUSER | CLONE.FS)) &&
      'CLONE_FS shares root and working directory, which a mount or user namespace of its own forbids',
  ),
  hint(
    ['unshare'],
    'EINVAL',
    failed =>
      failed.has(0, CLONE.NEWUSER) &&
      isMultithreaded(failed) &&
      'a process with several threads, as Node is, cannot change its user namespace: give CLONE_NEWUSER to the clone of a child',
  ),
  hint(makers, 'ENOSPC', failed => {
    for (const flag of asked(failed)) {
      const limit = `user/max_${types[flag]}_namespaces`;
      if (sysctl(limit) === '0') {
        return `no disk is full: ${types[flag]} namespaces are switched off (/proc/sys/${limit} is 0)`;
      }
    }
    const limits = asked(failed).map(flag => `/proc/sys/user/max_${types[flag]}_namespaces`);
    return `no disk is full: too many namespaces (${limits.join(', ')}), or one in another more than 32 deep`;
  }),
  hint(makers, 'EPERM', failed => {
    if (!failed.has(0, CLONE.NEWUSER)) return undefined;
    if (sysctl('kernel/unprivileged_userns_clone') === '0' && !capable(failed, CAP.SYS_ADMIN)) {
      return 'user namespaces are for root only here (/proc/sys/kernel/unprivileged_userns_clone is 0): run as root, or set it to 1';
    }
    if (sysctl('kernel/apparmor_restrict_unprivileged_userns') === '1' && !capable(failed, CAP.SYS_ADMIN)) {
      return 'AppArmor keeps user namespaces for programs with a profile (/proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1): run as root, or set it to 0';
    }
    return undefined;
  }),
  seen(makers, 'EPERM', failed => {
    if (!failed.has(0, CLONE.NEWUSER)) return undefined;
    return readStatus(failed.pid)?.uid.effective === OVERFLOW_ID
      ? `this process's user has no number in its own user namespace (it shows as ${OVERFLOW_ID}): write its uid_map first`
      : namespaceRefused(failed);
  }),
  hint(makers, 'EPERM', failed => {
    const wanted = asked(failed).filter(flag => flag !== 'NEWUSER');
    if (wanted.length > 0 && !failed.has(0, CLONE.NEWUSER) && !capable(failed, CAP.SYS_ADMIN))
      return `${wanted.map(flag => `CLONE_${flag}`).join('|')} takes CAP_SYS_ADMIN: run as root, or add CLONE_NEWUSER`;
  }),
  hint(
    makers,
    'ENOMEM',
    failed =>
      pidNamespaceIsDead(failed) &&
      'memory is not short: the pid namespace that the child would be in has lost its pid 1, and takes no processes any more',
  ),
  seen(['setns'], 'EINVAL', failed => {
    const target = fdPath(failed, 0);
    // 'pidfd:[…]', before Linux 6.9 'anon_inode:[pidfd]'
    const type = target.includes('pidfd')
      ? undefined
      : (/^(\w+):\[/.exec(target)?.[1] as NamespaceName | undefined);
    if (type === undefined) {
      if (target.includes('pidfd'))
        return multithreaded(failed, asksFor(failed, 'NEWUSER'), asksFor(failed, 'NEWNS'));
      return `${target} is neither a namespace (/proc/PID/ns/…) nor a pidfd`;
    }
    const wanted = failed.number(1);
    const flag = (Object.keys(types) as Flag[]).find(each => types[each] === type);
    if (flag !== undefined && wanted !== 0 && wanted !== CLONE[flag]) {
      return `the descriptor is a ${type} namespace, which is CLONE_${flag}`;
    }
    if (type === 'user' && target.includes(`[${namespaceInode(failed.pid, 'user')}]`)) {
      return 'the process is in that user namespace already, and entering it again would give it all capabilities';
    }
    if (type === 'pid') return 'a process can only go down: that pid namespace is not below its own';
    return multithreaded(failed, type === 'user', type === 'mnt');
  }),
  hint(
    ['setns', 'unshare'],
    'EUSERS',
    failed =>
      isMultithreaded(failed) &&
      'there are not too many users: a process with several threads, as Node is, cannot change its time namespace; do it in a child',
  ),
  seen(
    ['setns'],
    'EPERM',
    failed =>
      (!capable(failed, CAP.SYS_ADMIN) || inUserNamespace(failed)) &&
      "it takes CAP_SYS_ADMIN both here and in the user namespace that the target belongs to: enter the target's user namespace first (CLONE_NEWUSER)",
  ),
  hint(
    ['setns'],
    'ESRCH',
    () => 'the process that the pidfd stands for has ended, and its namespaces with it',
  ),
];

/** /proc/sys/kernel/overflowuid */
const OVERFLOW_ID = 65534;

function asksFor(failed: Failed, flag: Flag): boolean {
  return failed.has(1, CLONE[flag]);
}

function multithreaded(failed: Failed, user: boolean, mnt: boolean): string | undefined {
  if ((!user && !mnt) || !isMultithreaded(failed)) return undefined;
  return `a process with several threads, as Node is, cannot enter a ${user ? 'user' : 'mount'} namespace: do it in a child program, or start nsenter(1)`;
}

/** In a chroot, / is not the root of the mount namespace. current_chrooted() in fs/namespace.c */
function namespaceRefused(failed: Failed): string | undefined {
  return readStatus(failed.pid)?.seccomp === 'filter'
    ? undefined
    : 'after chroot(2) no user namespace can be made: use pivot_root, or make it before';
}

/** The namespace exists, and no process is in it. It cannot be read before its first process. */
function pidNamespaceIsDead({ pid }: Failed): boolean {
  const link = readlinkSync(`/proc/${pid}/ns/pid_for_children`);
  return !allPids().some(other => link === `pid:[${safeInode(other)}]`);
}

function safeInode(pid: number): number | undefined {
  try {
    return namespaceInode(pid, 'pid');
  } catch {
    return undefined;
  }
}
