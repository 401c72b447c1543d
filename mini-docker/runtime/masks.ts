// Hides paths of /proc and /sys that a container must not read (masked) or must not write (read-only): they
// concern the whole kernel, not the container. Paths that this kernel does not have are skipped.

import { AT, MOUNT_ATTR, MOVE_MOUNT, MS, O, OPEN_TREE } from '../linux/constants.ts';
import { ERRNO } from '../linux/errno.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import { close, mountCall, mountSetattr, moveMount, openat, openTree } from '../linux/syscalls.ts';
import { freshLabel, openInside } from './inside.ts';
import type { Nothing } from './own-null.ts';
import { type Section, section } from './section.ts';

const attachHere = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;
const READ_ONLY = encodeMountAttr({ set: MOUNT_ATTR.RDONLY });

export interface PreparedMasks {
  /** Steps to run while what lies over the paths is at its place. */
  prepare: Item[];
  section: Section;
}

/**
 * @param options.isDirectory whether a path of the host is a directory; every /proc and /sys has the same
 * files
 * @param options.nothing paths when `prepare` runs
 */
export function prepareMasks(
  paths: { masked: readonly string[]; readonly: readonly string[] },
  options: { isDirectory: (path: string) => boolean; nothing: Nothing },
): PreparedMasks {
  const masks = paths.masked.map(path => {
    const [file, directory] = [options.nothing.node, options.nothing.directory].map(nothing =>
      because(`will lie over ${path}`, openTree(AT.FDCWD, nothing, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC)),
    ) as [Step, Step];
    const empty = mountSetattr(resultOf(directory), '', AT.EMPTY_PATH, READ_ONLY);
    if (!/^\/(proc|sys)\//.test(path))
      return { path, prepare: [file, directory, empty], covers: [file, directory] };
    const copies = options.isDirectory(path) ? [directory, empty] : [file];
    return { path, prepare: ifThere(path, copies), covers: [copies[0]!] };
  });
  return {
    prepare: masks.flatMap(({ prepare }) => prepare),
    section: section('masked and read-only paths', masks.flatMap(mask), paths.readonly.flatMap(makeReadonly)),
  };
}

/** Skips the steps where the path is missing: before it ends a mount that was never attached, the kernel waits for all processors. */
function ifThere(path: string, items: Item[]): Item[] {
  const open = mayFail(openat(AT.FDCWD, path, O.PATH | O.CLOEXEC, 0), 'ENOENT');
  const missing = freshLabel('missing');
  return [
    open,
    { control: 'when', result: resultOf(open), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    close(resultOf(open)),
    ...items,
    { control: 'label', name: missing },
  ];
}

/** @param mask.covers move_mount fails with EINVAL for a file on a directory: the next one is mounted then */
function mask({ path, covers }: { path: string; covers: Step[] }): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const [missing, done] = [freshLabel('missing'), freshLabel('masked')];
  const cover = (copy: Step, isLast: boolean): Item[] => {
    const move = moveMount(resultOf(copy), '', resultOf(point.fd), '', attachHere);
    if (isLast) return [because(`${path} tells of the whole machine`, move)];
    const tried = mayFail(move, 'EINVAL');
    return [tried, { control: 'when', result: resultOf(tried), is: 'equal', value: 0, to: done }];
  };
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    ...covers.flatMap((copy, index) => cover(copy, index === covers.length - 1)),
    { control: 'label', name: done },
    close(resultOf(point.fd)),
    ...covers.map(copy => close(resultOf(copy))),
    { control: 'label', name: missing },
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
  const writable = encodeMountAttr({ clear: MOUNT_ATTR.RDONLY });
  return [
    ...paths.map(path => mayFail(mountCall(path, path, null, MS.BIND, null), 'ENOENT')),
    because(
      'the mode and the owner of these files are those of every /proc on the machine',
      mountSetattr(AT.FDCWD, '/proc', AT.RECURSIVE, READ_ONLY),
    ),
    because('processes may write to their own files', mountSetattr(AT.FDCWD, '/proc', 0, writable)),
  ];
}

function makeReadonly(path: string): Item[] {
  const point = openInside(path, O.PATH, 'ENOENT');
  const copy = openTree(
    resultOf(point.fd),
    '',
    OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH | AT.RECURSIVE,
  );
  const missing = freshLabel('missing');
  return [
    ...point.items,
    { control: 'when', result: resultOf(point.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    copy,
    mountSetattr(resultOf(copy), '', AT.EMPTY_PATH | AT.RECURSIVE, READ_ONLY),
    because(
      `${path} changes the whole machine`,
      moveMount(resultOf(copy), '', resultOf(point.fd), '', attachHere),
    ),
    close(resultOf(copy)),
    close(resultOf(point.fd)),
    { control: 'label', name: missing },
  ];
}
