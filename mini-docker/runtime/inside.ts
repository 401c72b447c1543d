// Steps on paths of the container, made after its root is ours. An image is hostile: its /data may be a symbolic link to
// anywhere. The new root confines all links but one kind, the magic ones of /proc (/proc/self/fd/N may be a directory of
// the host), so every path is resolved with openat2(2) and RESOLVE_NO_MAGICLINKS, and then only the descriptor is used.
import { posix } from 'node:path';
import { AT, MOVE_MOUNT, O, RESOLVE } from '../linux/constants.ts';
import type { Control, Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { close, mkdirat, moveMount, openat, openat2 } from '../linux/syscalls.ts';

const ENOENT = 2;
const EAGAIN = 11;
let labels = 0;

/** Labels must differ within one program; over all programs is more than enough. */
export function freshLabel(name: string): string {
  return `${name} ${++labels}`;
}

/** open_how of openat2(2). */
function how(flags: number, resolve: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(flags | O.CLOEXEC), 0n, BigInt(resolve)]).buffer);
}

/** @returns the step whose result is the descriptor, and the items that make it */
export function openInside(path: string, flags: number, ...tolerated: string[]): { fd: Step; items: Item[] } {
  const open = openat2(AT.FDCWD, path, how(flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS));
  // EAGAIN: somebody renamed something on the way; the kernel wants to be asked again.
  const fd = mayFail(open, 'EAGAIN', ...tolerated);
  const again = freshLabel('again');
  return {
    fd,
    items: [
      { control: 'label', name: again },
      fd,
      { control: 'when', result: resultOf(fd), is: 'equal', value: -EAGAIN, to: again },
    ],
  };
}

/** Makes the directory and those above it, as far as they are missing. */
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

/** Goes to the label unless the path is missing. */
function unlessMissing(path: string, to: string): Item[] {
  const found = openInside(path, O.PATH, 'ENOENT');
  const asked = because(
    `is there a ${path} in the image? What follows is only for where it is not`,
    found.fd,
  );
  const missing = freshLabel('missing');
  return [
    ...found.items.map(item => (item === found.fd ? asked : item)),
    { control: 'when', result: resultOf(found.fd), is: 'equal', value: -ENOENT, to: missing },
    close(resultOf(found.fd)),
    { control: 'jump', to },
    { control: 'label', name: missing },
  ];
}

/** Makes what a mount needs below it, a directory or an empty file, where it is missing. */
export function makeMountPoint(path: string, kind: 'directory' | 'file'): Item[] {
  const there = freshLabel('there');
  const label: Control = { control: 'label', name: there };
  if (kind === 'directory') return [...unlessMissing(path, there), ...makeDirectories(path), label];
  const parent = openInside(posix.dirname(path), O.PATH | O.DIRECTORY);
  const file = openat(
    resultOf(parent.fd),
    posix.basename(path),
    O.CREAT | O.EXCL | O.WRONLY | O.NOFOLLOW | O.CLOEXEC,
    0o755,
  );
  return [
    ...unlessMissing(path, there),
    ...makeDirectories(posix.dirname(path)),
    ...parent.items,
    because('a file can only be mounted on a file', file),
    close(resultOf(file)),
    close(resultOf(parent.fd)),
    label,
  ];
}

/** Attaches a detached mount at the path, and closes its descriptor. */
export function attach(tree: Step, path: string, why: string): Item[] {
  const point = openInside(path, O.PATH);
  return [
    ...point.items,
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
