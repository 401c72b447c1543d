// Paths of /proc and /sys that a container must not read (masked) or must not write (read-only). They belong to the
// kernel as a whole, not to the container. A path that this kernel does not have is passed over.
import { AT, FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, MOVE_MOUNT, O, OPEN_TREE } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf } from '../linux/step.ts';
import { close, fsconfig, fsmount, fsopen, mountSetattr, moveMount, openTree } from '../linux/syscalls.ts';
import { attach, freshLabel, openInside } from './inside.ts';
import { type Section, section } from './section.ts';

const ENOENT = 2;
const attachHere = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;

export function masksSection(masked: readonly string[], readonly: readonly string[]): Section {
  return section('masked and read-only paths', masked.flatMap(mask), readonly.flatMap(makeReadonly));
}

/** A file gets /dev/null over it, a directory an empty one that nobody can write to. */
function mask(path: string): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const nothing = openTree(AT.FDCWD, '/dev/null', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  const cover = because(
    `${path} tells of the whole machine`,
    mayFail(moveMount(resultOf(nothing), '', resultOf(point.fd), '', attachHere), 'EINVAL'),
  );
  const context = fsopen('tmpfs', FSOPEN.CLOEXEC);
  const empty = fsmount(resultOf(context), FSMOUNT.CLOEXEC, MOUNT_ATTR.RDONLY);
  const missing = freshLabel('missing');
  const done = freshLabel('masked');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ENOENT, to: missing },
    nothing,
    cover,
    close(resultOf(nothing)),
    // A file on a directory is EINVAL to move_mount; a tmpfs that failed as well would be the failure to tell.
    { control: 'when', result: resultOf(cover), is: 'equal', value: 0, to: done },
    because('it is a directory', context),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'source', 'tmpfs', 0),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'size', '0', 0),
    fsconfig(resultOf(context), FSCONFIG.CMD_CREATE, null, null, 0),
    empty,
    close(resultOf(context)),
    moveMount(resultOf(empty), '', resultOf(point.fd), '', attachHere),
    close(resultOf(empty)),
    { control: 'label', name: done },
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}

function makeReadonly(path: string): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const copy = openTree(
    resultOf(point.fd),
    '',
    OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH | AT.RECURSIVE,
  );
  const attributes = new Uint8Array(new BigUint64Array([BigInt(MOUNT_ATTR.RDONLY), 0n, 0n, 0n]).buffer);
  const missing = freshLabel('missing');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ENOENT, to: missing },
    copy,
    mountSetattr(resultOf(copy), '', AT.EMPTY_PATH | AT.RECURSIVE, attributes),
    ...attach(copy, path, `${path} changes the whole machine`),
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}
