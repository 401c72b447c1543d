// Sets up the container's root: an overlay of the image's layers and the writable layer, which then replaces
// the host's root. The files of the host that are needed are opened before; afterwards none can be named any
// more.
import { posix } from 'node:path';
import { AT, CLONE, MNT, MOVE_MOUNT, MS, O, OPEN_TREE } from '../linux/constants.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf, type Step } from '../linux/step.ts';
import {
  chdir,
  chroot,
  dup3,
  fchdir,
  mountCall,
  moveMount,
  openat,
  openTree,
  pivotRoot,
  setns,
  symlinkat,
  umount2,
} from '../linux/syscalls.ts';
import { FD } from './descriptors.ts';
import { type Section, section } from './section.ts';

export interface Layers {
  /** The image's layers, topmost first. */
  lowerdirs: readonly string[];
  upperdir: string;
  workdir: string;
}

/**
 * Renamed directories and changed modes are copied up whole, so that other tools, and our own commit, can
 * read the layer. Root of a user namespace may not write trusted.* attributes: with userxattr overlay keeps
 * its marks in user.* attributes, and implies the other two.
 */
export const PLAIN_LAYERS = inUserNamespace() ? 'userxattr' : 'redirect_dir=off,metacopy=off';

/** mount(2) copies one page of options, including the NUL at the end. */
const LONGEST_OPTIONS = 4095;

export function layersSection(rootfs: string, layers: Layers): Section {
  return section('layers', overlay(rootfs, layers, { flags: 0, extra: PLAIN_LAYERS }));
}

/** @param options.userNamespace whether the process is in one of its own */
export function rootfsSection(rootfs: string, options: { userNamespace: boolean }): Section {
  const isHostLocked = options.userNamespace || inUserNamespace();
  const root = openRoot(rootfs, 'the root, as it was mounted');
  const alone = because(
    'nothing will be mounted in this copy, which the monitor takes',
    openTree(resultOf(root), '', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH),
  );
  return section(
    'root filesystem',
    root,
    alone,
    dup3(resultOf(alone), FD.root, O.CLOEXEC),
    isHostLocked ? [fchdir(resultOf(root)), ...pivot()] : replaceRoot(root),
  );
}

/**
 * Makes a mount the root of its mount namespace and of the process. pivot_root(2) does this in one call, but goes through all
 * processes of the machine for those whose root was the old one (chroot_fs_refs() in fs/fs_struct.c): 3 ms among 9,000.
 * In a user namespace the host's root is locked, and only pivot_root replaces it.
 */
function replaceRoot(root: Step): Item[] {
  const own = because(
    'the new root, mounted nowhere yet',
    openTree(resultOf(root), '', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH),
  );
  const namespace = openat(AT.FDCWD, '/proc/self/ns/mnt', O.RDONLY | O.CLOEXEC, 0);
  return [
    own,
    namespace,
    because('from here on nothing of the host can be named any more', umount2('/', MNT.DETACH)),
    because(
      "now the directory that the host's root covered is this process's root",
      setns(resultOf(namespace), CLONE.NEWNS),
    ),
    moveMount(resultOf(own), '', AT.FDCWD, '/', MOVE_MOUNT.F_EMPTY_PATH),
    fchdir(resultOf(own)),
    chroot('.'),
  ];
}

export function enterDirectory(rootfs: string): Item[] {
  const root = openRoot(rootfs, 'pivot_root wants a mount point');
  return [root, fchdir(resultOf(root))];
}

const openRoot = (rootfs: string, why: string): Step =>
  because(why, openat(AT.FDCWD, rootfs, O.PATH | O.DIRECTORY | O.CLOEXEC, 0));

/** Makes the working directory, a mount point, the root. */
export function pivot(): Item[] {
  return [
    because('the old root now lies on top of the new one, at the same place', pivotRoot('.', '.')),
    because('from here on nothing of the host can be named any more', umount2('.', MNT.DETACH)),
    chdir('/'),
  ];
}

/**
 * @param layers at least two
 * @param how flags of mount(2), and further options of overlay
 */
export function overlay(
  rootfs: string,
  layers: Pick<Layers, 'lowerdirs'> & Partial<Layers>,
  how: { flags: number; extra: string },
): Item[] {
  const { flags, extra } = how;
  const { upperdir, workdir } = layers;
  const own = upperdir !== undefined && workdir !== undefined;
  const why = own
    ? 'the layers of the image below, the writable layer above; only this mount namespace sees it'
    : 'the layers of an image; only this mount namespace sees it';
  const writable = own
    ? `upperdir=${escapeOption(upperdir)},workdir=${escapeOption(workdir)},${extra}`
    : extra;
  const options = `lowerdir=${layers.lowerdirs.map(escapeOption).join(':')},${writable}`;
  if (Buffer.byteLength(options) <= LONGEST_OPTIONS) {
    return [because(why, mountCall('overlay', rootfs, 'overlay', flags, options))];
  }
  // Paths relative to a common directory are shorter, which helps with many layers.
  const base = commonDirectory(layers.lowerdirs);
  const relative = layers.lowerdirs.map(layer => escapeOption(posix.relative(base, layer))).join(':');
  const short = `lowerdir=${relative},${writable}`;
  if (Buffer.byteLength(short) <= LONGEST_OPTIONS) {
    return [
      because('relative paths keep the options below one page', chdir(base)),
      because(why, mountCall('overlay', rootfs, 'overlay', flags, short)),
    ];
  }
  return overlayOfLinks(rootfs, layers, { flags, writable, why });
}

/** Docker does the same with its directory l/. Adding layers one by one (lowerdir+) needs Linux 6.8. */
function overlayOfLinks(
  rootfs: string,
  layers: Pick<Layers, 'lowerdirs'>,
  { flags, writable, why }: { flags: number; writable: string; why: string },
): Item[] {
  const names = layers.lowerdirs.map((_, index) => index.toString(36));
  return [
    because(
      'so many layers do not fit into the page of options of mount(2): links with short names stand for them',
      mountCall('tmpfs', rootfs, 'tmpfs', MS.NOSUID | MS.NODEV | MS.NOEXEC, null),
    ),
    chdir(rootfs),
    ...layers.lowerdirs.map((layer, index) => symlinkat(layer, AT.FDCWD, names[index]!)),
    because(why, mountCall('overlay', rootfs, 'overlay', flags, `lowerdir=${names.join(':')},${writable}`)),
  ];
}

/**
 * Overlay separates layers by colons, and mount options are separated by commas; both are escaped by a
 * backslash.
 */
function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, character => `\\${character}`);
}

function commonDirectory(paths: readonly string[]): string {
  const [first = '/', ...others] = paths.map(path => path.split('/'));
  const parts = typeof first === 'string' ? [] : first;
  let length = parts.length - 1;
  for (const other of others) while (length > 0 && !samePrefix(parts, other, length)) length--;
  return parts.slice(0, length).join('/') || '/';
}

function samePrefix(a: readonly string[], b: readonly string[], length: number): boolean {
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** Keeps the container's mounts private. */
export function propagationSection(propagation: 'private' | 'slave' | 'shared' | 'unbindable'): Section {
  // With 'shared', too, the container's mounts must stay in it: they receive the host's mounts without
  // sending any.
  const slave = propagation === 'slave' || propagation === 'shared';
  return section('mount propagation', [
    because(
      slave
        ? 'mounts of the host appear here, and nothing we mount appears there'
        : 'nothing we mount may appear on the host, whose / is shared as a rule',
      mountCall(null, '/', null, MS.REC | (slave ? MS.SLAVE : MS.PRIVATE), null),
    ),
  ]);
}

/** Makes the root read-only, after everything has been mounted on it. */
export function readonlyRootSection(): Section {
  return section('read-only root', [
    because('--read-only', mountCall(null, '/', null, MS.REMOUNT | MS.BIND | MS.RDONLY, null)),
  ]);
}
