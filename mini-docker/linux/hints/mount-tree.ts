// Changes in the tree of mounts: pivot_root(2), move_mount(2), umount2(2), mount_setattr(2), open_tree(2).
// fs/namespace.c

import { MNT, OPEN_TREE } from '../constants.ts';
import { type MountInfo, mountAt } from '../proc/mountinfo.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { holders } from './holders.ts';
import {
  absolute,
  inUserNamespace,
  mountHolding,
  mountRootedAt,
  mountsOf,
  ownsNamespace,
  pathAt,
  statOf,
} from './probes.ts';

const NEW_ROOT = 0;
const PUT_OLD = 1;

function parentOf(failed: Failed, mount: MountInfo | undefined): MountInfo | undefined {
  return mountsOf(failed).find(({ id }) => id === mount?.parent);
}

function isShared(mount: MountInfo | undefined): mount is MountInfo {
  return mount?.propagation.shared !== undefined;
}

export const mountTreeHints: readonly Hint[] = [
  hint(['pivot_root'], 'EINVAL', failed =>
    failed.seen
      ? undefined
      : 'new_root has to be a mount point, put_old at or below it, and neither new_root, nor its parent mount, nor that of the present root shared (MS_PRIVATE)',
  ),
  hint(['pivot_root'], 'EINVAL', failed => {
    const newRoot = failed.text(NEW_ROOT);
    if (mountRootedAt(failed, newRoot) === undefined)
      return `new_root ${newRoot} is not a mount point: bind it onto itself first (MS_BIND)`;
  }),
  hint(['pivot_root'], 'EINVAL', failed => {
    const [newRoot, putOld] = [
      absolute(failed, failed.text(NEW_ROOT)),
      absolute(failed, failed.text(PUT_OLD)),
    ];
    return putOld === newRoot || putOld.startsWith(newRoot === '/' ? '/' : `${newRoot}/`)
      ? undefined
      : `put_old ${failed.text(PUT_OLD)} is not at or below new_root ${failed.text(NEW_ROOT)}, where the old root has to go`;
  }),
  hint(['pivot_root'], 'EINVAL', failed => {
    const newRoot = mountRootedAt(failed, failed.text(NEW_ROOT));
    const shared = [newRoot, parentOf(failed, newRoot), mountHolding(failed, failed.text(PUT_OLD))].find(
      isShared,
    );
    return (
      shared &&
      `the mount on ${shared.mountPoint} is shared, and the change would reach its peers: make it private first (mount / with MS_REC|MS_PRIVATE)`
    );
  }),
  hint(['pivot_root'], 'EINVAL', failed => {
    const mounts = mountsOf(failed);
    const root = mountAt(mounts, '/');
    if (root === undefined)
      return 'the present root is not a mount point (after a chroot), and cannot be moved away';
    if (root.type === 'rootfs' || root.type === 'ramfs')
      return 'the present root is the initramfs, which cannot be moved away: mount over / (MS_MOVE) and chroot instead';
  }),
  hint(
    ['pivot_root'],
    'EBUSY',
    failed =>
      `new_root ${failed.text(NEW_ROOT)} or put_old is on the present root's own mount: new_root has to be another mount, e.g. bound onto itself`,
  ),
  seen(['move_mount'], 'EINVAL', failed => {
    const [source, target] = [pathAt(failed, 0, 1), pathAt(failed, 2, 3)];
    const parent = parentOf(failed, mountRootedAt(failed, source));
    if (isShared(parent)) {
      return `${source} lies on ${parent.mountPoint}, which is shared, and a mount cannot be moved away from its parent's peers: make ${parent.mountPoint} private first (MS_PRIVATE)`;
    }
    const [from, to] = [statOf(failed, source), statOf(failed, target)];
    if (from !== undefined && to !== undefined && from.isDirectory() !== to.isDirectory())
      return kinds(source, target, from.isDirectory());
    if (mountRootedAt(failed, source) === undefined)
      return `${source} is not a mount point: only a whole mount can be moved`;
  }),
  seen(['umount2'], 'EINVAL', failed => {
    const target = failed.text(0);
    if (mountRootedAt(failed, target) === undefined) return `${target} is not a mount point here`;
    if (inUserNamespace(failed) && ownsNamespace(failed, 'mnt'))
      return `${target} came with its parent from a more privileged mount namespace, which keeps what lies under it covered: unmount the parent as a whole (MNT_DETACH)`;
  }),
  seen(['umount2'], 'EBUSY', failed => {
    if (failed.has(1, MNT.DETACH)) return undefined;
    const target = failed.text(0);
    const id = mountRootedAt(failed, target)?.id;
    const below = mountsOf(failed).find(({ parent }) => parent === id);
    if (below !== undefined)
      return `${below.mountPoint} is mounted on it: unmount that first, or both at once (MNT_DETACH)`;
    return `${target} is in use${holders(failed, target, 'any')}; MNT_DETACH takes it away now, and its users keep what they have open`;
  }),
  seen(['mount_setattr'], 'EINVAL', failed => {
    const path = pathAt(failed, 0, 1);
    if (mountRootedAt(failed, path) === undefined)
      return `${path} is not a mount point, and attributes belong to mounts: bind it onto itself first (MS_BIND)`;
  }),
  seen(['open_tree'], 'EINVAL', failed => {
    if (!failed.has(2, OPEN_TREE.CLONE)) return undefined;
    const path = pathAt(failed, 0, 1);
    if (mountHolding(failed, path)?.propagation.unbindable)
      return `${path} is on a mount that was made unbindable (MS_UNBINDABLE)`;
  }),
];

function kinds(source: string, target: string, directory: boolean): string {
  const [first, second] = directory ? ['a directory', 'a file'] : ['a file', 'a directory'];
  return `${source} is ${first} and ${target} is ${second}: both must be directories, or neither`;
}
