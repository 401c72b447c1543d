// A /dev/null of the container's own. It replaces a missing standard input, and is mounted over files that
// the container must not read. The host's node would be one inode for the whole machine, and root of a
// container may chmod and chown every inode of root's that it can reach by a descriptor or a mount, even
// through /proc/self/fd/0.
import { dirname } from 'node:path';
import { AT, FSCONFIG, FSMOUNT, FSOPEN, MS, O, S_IF } from '../linux/constants.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import type { Item } from '../linux/program.ts';
import { because, type Ref, resultOf, type Step } from '../linux/step.ts';
import {
  close,
  fchmodat,
  fsconfig,
  fsmount,
  fsopen,
  mkdirat,
  mknodat,
  mountCall,
  openat,
} from '../linux/syscalls.ts';

/** makedev(1, 3), <linux/major.h> */
const NULL_DEVICE = 0x103;
const WHY = "a /dev/null of its own: root of a container could change the host's";
/** A tmpfs with room for two directories and one node. */
const SMALLEST = 'size=4k,nr_inodes=3,mode=755';

/** Path that /proc/self/fd/0 shows, since paths end at the mount's root. */
const NAME = 'dev/null';

export function nullIn(place: string): string {
  return `${place}/${NAME}`;
}

/** The host's node serves where no node can be made: in a user namespace, whose root cannot change it either. */
export const HOST_NULL = `/${NAME}`;

/**
 * For a start, before its mounts can appear on the host. The tmpfs stays below the container's root, which is mounted over
 * it, and leaves with the host's root: an unmount of its own would wait for all processors (synchronize_rcu_expedited).
 * @param options.place an empty directory; `node`: a node that exists already, to be used instead
 * @param use steps with a descriptor of the node and its path
 */
export function withOwnNull(
  { place, node }: { place: string; node: string | undefined },
  use: (fd: Step) => Item[],
): Item[] {
  if (node !== undefined) return useNode(AT.FDCWD, node, use);
  return [
    because(WHY, mountCall('tmpfs', place, 'tmpfs', MS.NOSUID | MS.NOEXEC, SMALLEST)),
    ...makeNull(AT.FDCWD, place),
    ...useNode(AT.FDCWD, nullIn(place), use),
  ];
}

/** For an exec, which enters from outside and may not mount anything there: a detached mount. */
export function withDetachedNull(use: (fd: Step) => Item[]): Item[] {
  if (inUserNamespace()) return useNode(AT.FDCWD, HOST_NULL, use);
  const context = fsopen('tmpfs', FSOPEN.CLOEXEC);
  const tree = fsmount(resultOf(context), FSMOUNT.CLOEXEC, 0);
  const options = SMALLEST.split(',').map(option => option.split('='));
  return [
    because(WHY, context),
    ...options.map(([key = '', value = '']) =>
      fsconfig(resultOf(context), FSCONFIG.SET_STRING, key, value, 0),
    ),
    fsconfig(resultOf(context), FSCONFIG.CMD_CREATE, null, null, 0),
    tree,
    close(resultOf(context)),
    ...makeNull(resultOf(tree), '.'),
    ...useNode(resultOf(tree), NAME, use),
    close(resultOf(tree)),
  ];
}

/** Writable for all users, whatever the umask is. */
export function makeNull(directory: number | Ref, place: string): Item[] {
  return [
    mkdirat(directory, dirname(nullIn(place)), 0o755),
    mknodat(directory, nullIn(place), S_IF.CHR | 0o666, NULL_DEVICE),
    fchmodat(directory, nullIn(place), 0o666),
  ];
}

function useNode(directory: number | Ref, name: string, use: (fd: Step) => Item[]): Item[] {
  const fd = openat(directory, name, O.RDWR | O.CLOEXEC, 0);
  return [fd, ...use(fd), close(resultOf(fd))];
}
