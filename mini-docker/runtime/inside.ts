// Steps on paths of the container, run after the root has changed. An image is hostile: its /data may be a
// symbolic link to anywhere. The new root confines all links except the magic ones of /proc (/proc/self/fd/N
// may be a directory of the host), so every path is resolved with openat2(2) and RESOLVE_NO_MAGICLINKS, and
// from then on only the descriptor is used.

import { posix } from 'node:path';
import { AT, MOVE_MOUNT, O, RESOLVE } from '../linux/constants.ts';
import { ERRNO } from '../linux/errno.ts';
import type { Control, Item } from '../linux/program.ts';
import { because, mayFail, type Ref, resultOf, type Step, type Word } from '../linux/step.ts';
import { encodeOpenHow } from '../linux/structures.ts';
import { close, fstatfs, mkdirat, moveMount, openat, openat2, unlinkat } from '../linux/syscalls.ts';

let labels = 0;

/** A label that is unique across all programs, and therefore within each. */
export function freshLabel(name: string): string {
  return `${name} ${++labels}`;
}

/** A few shared structures for about a hundred calls per start, so that each is in the program once. */
const hows = new Map<string, Uint8Array>();

/** open_how of openat2(2). */
function how(flags: number, resolve: number): Uint8Array {
  const key = `${flags} ${resolve}`;
  const known = hows.get(key);
  if (known !== undefined) return known;
  const mode = (flags & O.CREAT) === 0 ? 0 : 0o755;
  const made = encodeOpenHow({ flags: flags | O.CLOEXEC, mode, resolve });
  hows.set(key, made);
  return made;
}

/** @returns the step whose result is the descriptor, and all items that make it */
export function openInside(path: string, flags: number, ...tolerated: string[]): { fd: Step; items: Item[] } {
  return openResolving(path, flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS, tolerated);
}

/** The same without symbolic links on the way, for paths whose file decides what is masked and written. */
export function openPlain(path: string, flags: number, ...tolerated: string[]): { fd: Step; items: Item[] } {
  return openResolving(path, flags, RESOLVE.IN_ROOT | RESOLVE.NO_SYMLINKS, tolerated);
}

/** Opens a path in the directory `at` of the host; symbolic links that lead out of it are refused (EXDEV). */
export function openBelow(at: number | Ref, path: string, flags: number): { fd: Step; items: Item[] } {
  return openResolving(path, flags, RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS, [], at);
}

function openResolving(
  path: string,
  flags: number,
  resolve: number,
  tolerated: string[],
  at: number | Ref = AT.FDCWD,
): { fd: Step; items: Item[] } {
  const open = openat2(at, path, how(flags, resolve));
  // EAGAIN: a rename happened during the resolution, and the kernel asks for another try.
  const fd = mayFail(open, 'EAGAIN', ...tolerated);
  const again = freshLabel('again');
  return {
    fd,
    items: [
      { control: 'label', name: again },
      fd,
      { control: 'when', result: resultOf(fd), is: 'equal', value: -ERRNO.EAGAIN, to: again },
    ],
  };
}

/** Makes the directory and its missing parents. */
export function makeDirectories(path: string): Item[] {
  const parts = path.split('/').filter(part => part !== '');
  return parts.flatMap((name, index) => {
    const parent = openInside(`/${parts.slice(0, index).join('/')}`, O.PATH | O.DIRECTORY);
    return [
      ...parent.items,
      because(
        `${path} may be missing in the image`,
        mayFail(mkdirat(resultOf(parent.fd), name, 0o755), 'EEXIST'),
      ),
      close(resultOf(parent.fd)),
    ];
  });
}

/** Jumps to the label unless the path is missing. */
function unlessMissing(path: string, to: string): Item[] {
  const found = openInside(path, O.PATH, 'ENOENT');
  const asked = because(
    `is there a ${path} in the image? What follows is only for where it is not`,
    found.fd,
  );
  const missing = freshLabel('missing');
  return [
    ...found.items.map(item => (item === found.fd ? asked : item)),
    { control: 'when', result: resultOf(found.fd), is: 'equal', value: -ERRNO.ENOENT, to: missing },
    close(resultOf(found.fd)),
    { control: 'jump', to },
    { control: 'label', name: missing },
  ];
}

/** Makes a mount point, a directory or an empty file, if it is missing. */
export function makeMountPoint(path: string, kind: 'directory' | 'file'): Item[] {
  const there = freshLabel('there');
  const label: Control = { control: 'label', name: there };
  if (kind === 'directory') return [...unlessMissing(path, there), ...makeDirectories(path), label];
  const parent = openInside(posix.dirname(path), O.PATH | O.DIRECTORY);
  const name = posix.basename(path);
  // The target of a dangling link, as /etc/resolv.conf often is, is made inside. A FIFO does not block this.
  const target = openInside(path, O.CREAT | O.WRONLY | O.NONBLOCK, 'ENOENT');
  const file = openat(resultOf(parent.fd), name, O.CREAT | O.EXCL | O.WRONLY | O.NOFOLLOW | O.CLOEXEC, 0o755);
  const nowhere = freshLabel('nowhere');
  return [
    ...unlessMissing(path, there),
    ...makeDirectories(posix.dirname(path)),
    ...target.items.map(item =>
      item === target.fd ? because('a file can only be mounted on a file', target.fd) : item,
    ),
    { control: 'when', result: resultOf(target.fd), is: 'equal', value: -ERRNO.ENOENT, to: nowhere },
    close(resultOf(target.fd)),
    { control: 'jump', to: there },
    { control: 'label', name: nowhere },
    ...parent.items,
    because(
      'a link whose directory is missing, too, gives way to a file',
      unlinkat(resultOf(parent.fd), name, 0),
    ),
    file,
    close(resultOf(file)),
    close(resultOf(parent.fd)),
    label,
  ];
}

/** <linux/magic.h> */
const PROC_SUPER_MAGIC = 0x9fa0;
/** struct statfs: its first word is the filesystem's type. <asm-generic/statfs.h> */
const STATFS_SIZE = 120;

/**
 * Attaches a detached mount at the path, and closes its descriptor.
 * @param where 'no link': for a kernel's filesystem, which no link of the image may redirect. 'not in proc':
 * for a volume, which must not replace the kernel's files in /proc.
 */
export function attach(
  tree: Step,
  path: string,
  why: string,
  where: 'anywhere' | 'no link' | 'not in proc' = 'anywhere',
): Item[] {
  const point = where === 'no link' ? openPlain(path, O.PATH) : openInside(path, O.PATH);
  return [
    ...point.items,
    ...(where === 'not in proc' ? refuseProc(point.fd, path) : []),
    because(
      why,
      moveMount(
        resultOf(tree),
        '',
        resultOf(point.fd),
        '',
        MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH,
      ),
    ),
    close(resultOf(point.fd)),
    close(resultOf(tree)),
  ];
}

function refuseProc(fd: Step, path: string): Item[] {
  const { look, type } = filesystemOf(fd, `${path} must not be a part of /proc, which is the kernel's`);
  const fine = freshLabel('not in proc');
  return [
    look,
    { control: 'when', result: type, is: 'different', value: PROC_SUPER_MAGIC, to: fine },
    { control: 'fail', blame: [look] },
    { control: 'label', name: fine },
  ];
}

/** Fails unless /proc is the kernel's: a filesystem mounted there instead could redirect later writes. */
export function requireProc(): Item[] {
  const proc = openPlain('/proc', O.PATH | O.DIRECTORY);
  const { look, type } = filesystemOf(proc.fd, "/proc must be the kernel's: what follows trusts it");
  const fine = freshLabel('proc');
  return [
    ...proc.items,
    look,
    { control: 'when', result: type, is: 'equal', value: PROC_SUPER_MAGIC, to: fine },
    { control: 'fail', blame: [look] },
    { control: 'label', name: fine },
    close(resultOf(proc.fd)),
  ];
}

function filesystemOf(fd: Step, why: string): { look: Step; type: Word } {
  const statfs = new Uint8Array(STATFS_SIZE);
  return { look: because(why, fstatfs(resultOf(fd), statfs)), type: { wordIn: statfs, at: 0 } };
}
