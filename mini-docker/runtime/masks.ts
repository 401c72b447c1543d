// Hides paths of /proc and /sys that a container must not read (masked) or must not write (read-only): they
// concern the whole kernel, not the container. Paths that this kernel does not have are skipped.

import {
  AT,
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  O,
  OPEN_TREE,
} from '../linux/constants.ts';
import { ERRNO } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import {
  close,
  fsconfig,
  fsmount,
  fsopen,
  mountCall,
  mountSetattr,
  moveMount,
  openTree,
} from '../linux/syscalls.ts';
import { freshLabel, openInside } from './inside.ts';
import { type Section, section } from './section.ts';

const attachHere = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;

export interface PreparedMasks {
  /** Steps to run while the container's own /dev/null is at its place. */
  prepare: Item[];
  section: Section;
}

/**
 * @param options.isDirectory whether a path of the host is a directory; every /proc and /sys has the same
 * files
 * @param options.nothing path of the container's own /dev/null (own-null.ts) when `prepare` runs
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
  const { make, empty } = emptyDirectory();
  return {
    prepare: masks.flatMap(({ nothing }) => (nothing === undefined ? [] : [nothing])),
    section: section(
      'masked and read-only paths',
      masks.length === 0
        ? []
        : [
            ...make,
            ...masks.flatMap(({ path, nothing }) =>
              nothing === undefined ? maskDirectory(path, empty) : mask(path, { nothing, empty }),
            ),
            close(resultOf(empty)),
          ],
      paths.readonly.flatMap(makeReadonly),
    ),
  };
}

/** Not the file that is called /dev/null in the container, which its image and its volumes control. */
function copyOfNothing(nothing: string, path: string): Step {
  return because(`will lie over ${path}`, openTree(AT.FDCWD, nothing, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC));
}

/** Mounts /dev/null over a file, and an empty read-only directory over a directory. */
function mask(path: string, { nothing, empty }: { nothing: Step; empty: Step }): Item[] {
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
    // move_mount fails with EINVAL for a file on a directory; if the tmpfs fails too, its failure is
    // reported.
    { control: 'when', result: resultOf(cover), is: 'equal', value: 0, to: done },
    ...coverWithDirectory(point.fd, empty, 'it is a directory'),
    { control: 'label', name: done },
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
    close(resultOf(nothing)),
  ];
}

function maskDirectory(path: string, empty: Step): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const missing = freshLabel('missing');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    ...coverWithDirectory(point.fd, empty, `${path} tells of the whole machine`),
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}

/**
 * A tmpfs that is empty and stays so, mounted nowhere yet. One lies over all directories: the kernel looks at each file
 * system of the machine when a control group ends.
 */
function emptyDirectory(): { make: Item[]; empty: Step } {
  const context = fsopen('tmpfs', FSOPEN.CLOEXEC);
  const empty = fsmount(resultOf(context), FSMOUNT.CLOEXEC, MOUNT_ATTR.RDONLY);
  const make = [
    because('an empty directory', context),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'source', 'tmpfs', 0),
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'size', '0', 0),
    fsconfig(resultOf(context), FSCONFIG.CMD_CREATE, null, null, 0),
    empty,
    close(resultOf(context)),
  ];
  return { make, empty };
}

function coverWithDirectory(point: Step, empty: Step, why: string): Item[] {
  const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH;
  const copy = mayFail(openTree(resultOf(empty), '', flags), 'EINVAL');
  const attach = (mount: Step) => moveMount(resultOf(mount), '', resultOf(point), '', attachHere);
  const [first, done] = [freshLabel('first'), freshLabel('covered')];
  return [
    copy,
    { control: 'when', result: resultOf(copy), is: 'equal', value: -ERRNO.EINVAL, to: first },
    because(why, attach(copy)),
    close(resultOf(copy)),
    { control: 'jump', to: done },
    { control: 'label', name: first },
    because('before Linux 6.15 there are copies only of what is mounted', attach(empty)),
    { control: 'label', name: done },
  ];
}

/**
 * Chmod and chown of a file in /proc change it in every /proc of the machine, and its owner is the host's root: so each file
 * gets a read-only mount of itself.
 * @param names of files and directories in /proc; those of `others` have a mount already
 */
export function fixKernelFiles(names: readonly string[], others: readonly string[]): Item[] {
  const paths = names.map(name => `/proc/${name}`).filter(path => !others.includes(path));
  if (paths.length === 0) return [];
  const [readonly, writable] = [{ set: MOUNT_ATTR.RDONLY }, { clear: MOUNT_ATTR.RDONLY }].map(
    encodeMountAttr,
  );
  return [
    ...paths.map(path => mayFail(mountCall(path, path, null, MS.BIND, null), 'ENOENT')),
    because(
      'the mode and the owner of these files are those of every /proc on the machine',
      mountSetattr(AT.FDCWD, '/proc', AT.RECURSIVE, readonly!),
    ),
    because('processes may write to their own files', mountSetattr(AT.FDCWD, '/proc', 0, writable!)),
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
