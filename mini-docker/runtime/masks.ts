// Paths of /proc and /sys that a container must not read (masked) or must not write (read-only). They belong to the
// kernel as a whole, not to the container. A path that this kernel does not have is passed over.

import { AT, FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, MOVE_MOUNT, O, OPEN_TREE } from '../linux/constants.ts';
import { ERRNO } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import { close, fsconfig, fsmount, fsopen, mountSetattr, moveMount, openTree } from '../linux/syscalls.ts';
import { freshLabel, openInside } from './inside.ts';
import { type Section, section } from './section.ts';

const attachHere = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;

export interface PreparedMasks {
  /** To be made while the place of nothing is there. */
  prepare: Item[];
  section: Section;
}

/**
 * @param options.isDirectory tells of a path of the host, whose /proc and /sys have the same files as every other
 * @param options.nothing where a /dev/null of the container's own is (own-null.ts) when `prepare` runs
 */
export function prepareMasks(
  paths: { masked: readonly string[]; readonly: readonly string[] },
  options: { isDirectory: (path: string) => boolean; nothing: string },
): PreparedMasks {
  const masks = paths.masked.map(path =>
    /^\/(proc|sys)\//.test(path) && options.isDirectory(path)
      ? { path }
      : { path, nothing: copyOfNothing(options.nothing, path) },
  );
  return {
    prepare: masks.flatMap(({ nothing }) => (nothing === undefined ? [] : [nothing])),
    section: section(
      'masked and read-only paths',
      masks.flatMap(({ path, nothing }) =>
        nothing === undefined ? maskDirectory(path) : mask(path, nothing),
      ),
      paths.readonly.flatMap(makeReadonly),
    ),
  };
}

/** Not what is called /dev/null in the container, which is in the hands of its image and its volumes. */
function copyOfNothing(nothing: string, path: string): Step {
  return because(`will lie over ${path}`, openTree(AT.FDCWD, nothing, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC));
}

/** A file gets /dev/null over it, a directory an empty one that nobody can write to. */
function mask(path: string, nothing: Step): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const cover = because(
    `${path} tells of the whole machine`,
    mayFail(moveMount(resultOf(nothing), '', resultOf(point.fd), '', attachHere), 'EINVAL'),
  );
  const missing = freshLabel('missing');
  const done = freshLabel('masked');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    cover,
    // A file on a directory is EINVAL to move_mount; a tmpfs that failed as well would be the failure to tell.
    { control: 'when', result: resultOf(cover), is: 'equal', value: 0, to: done },
    ...coverWithDirectory(point.fd, 'it is a directory'),
    { control: 'label', name: done },
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
    close(resultOf(nothing)),
  ];
}

function maskDirectory(path: string): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const missing = freshLabel('missing');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    ...coverWithDirectory(point.fd, `${path} tells of the whole machine`),
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}

function coverWithDirectory(point: Step, why: string): Item[] {
  const context = fsopen('tmpfs', FSOPEN.CLOEXEC);
  const empty = fsmount(resultOf(context), FSMOUNT.CLOEXEC, MOUNT_ATTR.RDONLY);
  return [
    because(why, context),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'source', 'tmpfs', 0),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'size', '0', 0),
    fsconfig(resultOf(context), FSCONFIG.CMD_CREATE, null, null, 0),
    empty,
    close(resultOf(context)),
    moveMount(resultOf(empty), '', resultOf(point), '', attachHere),
    close(resultOf(empty)),
  ];
}

function makeReadonly(path: string): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const copy = openTree(
    resultOf(point.fd),
    '',
    OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH | AT.RECURSIVE,
  );
  const attributes = encodeMountAttr({ set: MOUNT_ATTR.RDONLY });
  const missing = freshLabel('missing');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    copy,
    mountSetattr(resultOf(copy), '', AT.EMPTY_PATH | AT.RECURSIVE, attributes),
    because(
      `${path} changes the whole machine`,
      moveMount(resultOf(copy), '', resultOf(point.fd), '', attachHere),
    ),
    close(resultOf(copy)),
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}
