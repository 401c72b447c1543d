// A tmpfs of the container's own, of which several parts are mounted, each by itself: /dev, the directory above the control
// groups, a /dev/null, and an empty directory. A file system for each would cost more: the kernel goes through all of the
// machine when a memory control group ends.
//
// The last two lie over what the container must not read, and the node replaces a missing standard input. The host's node
// would be one inode for the whole machine, and root of a container may chmod and chown every inode of root's that it can
// reach by a descriptor or a mount, even through /proc/self/fd/0.
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
/** As Docker mounts /dev. */
const OPTIONS = 'size=65536k,mode=755';
/** A tmpfs with room for two directories and one node. */
const SMALLEST = 'size=4k,nr_inodes=3,mode=755';

/** Path that /proc/self/fd/0 shows, since paths end at the mount's root. */
const NAME = 'dev/null';
const EMPTY = 'empty';
const HOST_NULL = `/${NAME}`;

/** Paths of what is mounted over files and over directories. */
export interface Nothing {
  node: string;
  directory: string;
}

/** @param options.makesNodes false in a user namespace: the host's node serves, which root cannot change there */
export function nothingIn(place: string, options = { makesNodes: true }): Nothing {
  return { node: options.makesNodes ? `${place}/${NAME}` : HOST_NULL, directory: `${place}/${EMPTY}` };
}

/**
 * For a start, before its mounts can appear on the host. The tmpfs stays below the container's root, which is mounted over
 * it, and leaves with the host's root: an unmount of its own would wait for all processors (synchronize_rcu_expedited).
 * @param place an empty directory
 * @param has.parts names of further directories
 */
export function ownTmpfs(place: string, has: { nothing: Nothing; parts?: readonly string[] }): Item[] {
  const { nothing, parts = [] } = has;
  return [
    because(WHY, mountCall('tmpfs', place, 'tmpfs', MS.NOSUID | MS.NOEXEC, OPTIONS)),
    ...(nothing.node === HOST_NULL ? [] : makeNull(AT.FDCWD, place)),
    ...makeEmpty(place),
    ...parts.flatMap(name => makeDirectory(`${place}/${name}`, 0o755)),
  ];
}

/** For an exec, which enters from outside and may not mount anything there: a detached mount. */
export function withDetachedNull(use: (fd: Step) => Item[]): Item[] {
  if (inUserNamespace()) return withNode(AT.FDCWD, HOST_NULL, use);
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
    ...withNode(resultOf(tree), NAME, use),
    close(resultOf(tree)),
  ];
}

/** Writable for all users, whatever the umask is. */
export function makeNull(directory: number | Ref, place: string): Item[] {
  const { node } = nothingIn(place);
  return [
    mkdirat(directory, dirname(node), 0o755),
    mknodat(directory, node, S_IF.CHR | 0o666, NULL_DEVICE),
    fchmodat(directory, node, 0o666),
  ];
}

/** With the mode of a new tmpfs, which Docker mounts over directories. */
export const makeEmpty = (place: string): Item[] => makeDirectory(nothingIn(place).directory, 0o1777);

function makeDirectory(path: string, mode: number): Item[] {
  return [mkdirat(AT.FDCWD, path, mode), because('whatever the umask is', fchmodat(AT.FDCWD, path, mode))];
}

export function withNode(directory: number | Ref, name: string, use: (fd: Step) => Item[]): Item[] {
  const fd = openat(directory, name, O.RDWR | O.CLOEXEC, 0);
  return [fd, ...use(fd), close(resultOf(fd))];
}
