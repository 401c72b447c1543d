// EPERM from the mount calls: requirements besides the right to mount. user_namespaces(7),
// mount_namespaces(7)
import { CAP, MS } from '../constants.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { capable, inUserNamespace, mountRootedAt, mountsOf, ownsNamespace } from './probes.ts';

const TARGET = 1;
const TYPE = 2;
const FLAGS = 3;

const mountCalls = [
  'mount',
  'umount2',
  'pivot_root',
  'move_mount',
  'open_tree',
  'fsopen',
  'fsmount',
  'mount_setattr',
];

/** Filesystems that belong to a namespace. */
const namespaceOf = { proc: 'pid', sysfs: 'net', mqueue: 'ipc', cgroup2: 'cgroup' } as const;

/** FS_USERNS_MOUNT in the kernel's sources. */
const allowedTypes = new Set([
  ...['proc', 'sysfs', 'tmpfs', 'ramfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2', 'overlay', 'fuse', 'bpf'],
  'binfmt_misc',
]);

/** Options that a less privileged mount namespace cannot remove from a mount that it received with them. */
const locked = { ro: MS.RDONLY, nosuid: MS.NOSUID, nodev: MS.NODEV, noexec: MS.NOEXEC } as const;

function typeOf(failed: Failed): string {
  return failed.call === 'mount' && !failed.has(FLAGS, MS.BIND) && !failed.has(FLAGS, MS.REMOUNT)
    ? failed.text(TYPE)
    : '';
}

export const mountDeniedHints: readonly Hint[] = [
  seen(
    mountCalls,
    'EPERM',
    failed =>
      !capable(failed, CAP.SYS_ADMIN) &&
      'it takes CAP_SYS_ADMIN: run as root, or in a user and a mount namespace of its own (CLONE_NEWUSER|CLONE_NEWNS)',
  ),
  seen(
    mountCalls,
    'EPERM',
    failed =>
      inUserNamespace(failed) &&
      !ownsNamespace(failed, 'mnt') &&
      'the mount namespace belongs to another user namespace, in which root of this one has no rights: take one of its own as well (CLONE_NEWNS)',
  ),
  hint(['mount'], 'EPERM', failed => {
    const type = typeOf(failed);
    if (!failed.seen || !(type in namespaceOf) || !inUserNamespace(failed)) return undefined;
    const name = namespaceOf[type as keyof typeof namespaceOf];
    return ownsNamespace(failed, name)
      ? undefined
      : `a user namespace can mount ${type} only for a ${name} namespace of its own: add CLONE_NEW${name.toUpperCase()}${name === 'pid' ? ' and be a child in it' : ''}`;
  }),
  hint(['mount'], 'EPERM', failed => {
    const type = typeOf(failed);
    if (!failed.seen || (type !== 'proc' && type !== 'sysfs') || !inUserNamespace(failed)) return undefined;
    const mounts = mountsOf(failed);
    const visible = mounts.filter(mount => mount.type === type && mount.root === '/');
    const covers = mounts.filter(mount => visible.some(({ id }) => id === mount.parent));
    if (visible.length === 0)
      return `a user namespace can mount ${type} only where a complete one is visible, and there is none`;
    const places = covers
      .map(mount => mount.mountPoint)
      .slice(0, 3)
      .join(', ');
    return `a user namespace can mount ${type} only where a complete one is visible, and here parts of it are covered${places && ` (${places})`}, as in a container: uncover them, or bind-mount the existing one`;
  }),
  hint(['mount'], 'EPERM', failed => {
    const type = typeOf(failed);
    if (failed.seen && type !== '' && inUserNamespace(failed) && !allowedTypes.has(type))
      return `${type} cannot be mounted in a user namespace: mount it outside, and bind-mount it`;
  }),
  seen(['mount'], 'EPERM', failed => {
    if (!failed.has(FLAGS, MS.REMOUNT) || !inUserNamespace(failed)) return undefined;
    const mount = mountRootedAt(failed, failed.text(TARGET));
    const kept = Object.entries(locked).filter(
      ([option, flag]) => mount?.options.includes(option) && !failed.has(FLAGS, flag),
    );
    if (kept.length === 0) return undefined;
    const names = kept.map(([option]) => option).join(', ');
    return `the mount came from a more privileged mount namespace with ${names}, which cannot be removed here: pass ${names} again`;
  }),
];
