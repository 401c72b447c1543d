// For a child program that has ended, along with its namespaces: explanations of an errno that need no
// examination. Where the state can still be examined, the other tables have more precise ones.
import { IOCTL, MS, S_IF } from '../constants.ts';
import { type Hint, hint } from './hint.ts';

const unseen: typeof hint = (calls, code, explain) =>
  hint(calls, code, failed => !failed.seen && explain(failed));

const changes = [MS.REMOUNT, MS.PRIVATE, MS.SLAVE, MS.SHARED, MS.UNBINDABLE];

export const unseenHints: readonly Hint[] = [
  unseen(
    ['mount'],
    'EINVAL',
    failed =>
      changes.some(flag => failed.has(3, flag)) &&
      'the target has to be a mount point: bind it onto itself first (MS_BIND)',
  ),
  unseen(
    ['mount'],
    'EPERM',
    () =>
      'it takes CAP_SYS_ADMIN in the user namespace that owns the mount namespace; in one that is not the first, proc, sysfs and mqueue also want their namespace to be its own, and most disk filesystems are not allowed',
  ),
  unseen(
    ['move_mount'],
    'EINVAL',
    () =>
      'the source has to be a whole mount whose parent is not shared, and the target of its kind, a directory or a file',
  ),
  unseen(
    ['umount2'],
    'EINVAL',
    () =>
      'it has to be a mount point, and in a user namespace not one that came locked from outside with its parent',
  ),
  unseen(
    ['umount2'],
    'EBUSY',
    () => 'it is in use, or something is mounted below it: MNT_DETACH takes it away nevertheless',
  ),
  unseen(
    ['execve', 'execveat'],
    'EACCES',
    () =>
      'it is no regular file, has no permission to execute, lies on a mount that is noexec, or in a directory that this user may not go through',
  ),
  unseen(
    ['setgroups'],
    'EPERM',
    () =>
      'it takes CAP_SETGID, and in a user namespace a gid_map that is written and setgroups not denied (/proc/PID/setgroups)',
  ),
  unseen(
    ['setuid', 'setresuid', 'setgid', 'setresgid', 'setgroups'],
    'EINVAL',
    () =>
      'the id has no meaning in the user namespace: its uid_map or gid_map does not have it, or is not written yet',
  ),
  unseen(
    ['sethostname', 'setdomainname'],
    'EPERM',
    () =>
      'it takes CAP_SYS_ADMIN in the user namespace that owns the uts namespace: take one of its own (CLONE_NEWUTS)',
  ),
  unseen(['mknodat'], 'EPERM', failed => {
    const type = failed.number(2) & S_IF.MT;
    if (type === S_IF.CHR || type === S_IF.BLK)
      return 'device nodes take CAP_MKNOD outside of user namespaces, and a devices cgroup that lets them';
  }),
  unseen(
    ['ioctl'],
    'EPERM',
    failed =>
      failed.number(1) === IOCTL.TIOCSCTTY &&
      'only the leader of a session that has no terminal yet takes one, and one that no other session has: call setsid first',
  ),
];
