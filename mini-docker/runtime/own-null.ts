// A /dev/null that is the container's own. It stands for the standard input that a container does not have and lies over
// files that it must not read. The host's would be one inode for the whole machine, and root of a container may chmod and
// chown every inode of root's that a descriptor or a mount leads to, also through /proc/self/fd/0.
import { dirname } from 'node:path';
import { AT, FSCONFIG, FSMOUNT, FSOPEN, MNT, MS, O, S_IF } from '../linux/constants.ts';
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
  umount2,
} from '../linux/syscalls.ts';

/** makedev(1, 3), <linux/major.h> */
const NULL_DEVICE = 0x103;
const WHY = "a /dev/null of its own: root of a container could change the host's";
/** A tmpfs with room for two directories and one node. */
const SMALLEST = 'size=4k,nr_inodes=3,mode=755';

/** Also what /proc/self/fd/0 tells: names end where the mount does. */
const NAME = 'dev/null';

export function nullIn(place: string): string {
  return `${place}/${NAME}`;
}

/**
 * For a start, while nothing that is mounted appears on the host.
 * @param options.place an empty directory; `isMade`: with the node in it (user-namespace.ts)
 * @param use what is done with a descriptor of the node, and with its path
 */
export function withOwnNull(
  { place, isMade }: { place: string; isMade: boolean },
  use: (fd: Step) => Item[],
): Item[] {
  if (isMade) return useNode(AT.FDCWD, nullIn(place), use);
  return [
    because(WHY, mountCall('tmpfs', place, 'tmpfs', MS.NOSUID | MS.NOEXEC, SMALLEST)),
    ...makeNull(AT.FDCWD, place),
    ...useNode(AT.FDCWD, nullIn(place), use),
    because('no path leads to it from here on', umount2(place, MNT.DETACH)),
  ];
}

/** For an exec, which comes from outside and may mount nothing there: attached nowhere. */
export function withDetachedNull(use: (fd: Step) => Item[]): Item[] {
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

/** Everybody may write to it, whatever the umask is. */
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
