// /dev: the nodes, the links that programs expect, and the console.

import { posix } from 'node:path';
import type { Device } from '../formats/runtime-spec.ts';
import { AT, OPEN_TREE, S_IF } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, type Step } from '../linux/step.ts';
import { fchownat, mknodat, openTree, symlinkat } from '../linux/syscalls.ts';
import { attach, makeDirectories, makeMountPoint } from './inside.ts';
import { type Section, section } from './section.ts';

const types: Record<Device['type'], number> = { c: S_IF.CHR, u: S_IF.CHR, b: S_IF.BLK, p: S_IF.IFO };

const links: [path: string, target: string][] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/core', '/proc/kcore'],
];

/** dev_t as the kernel takes it: makedev(3). */
export function makedev(major: number, minor: number): number {
  return (minor & 0xff) + ((major & 0xfff) << 8) + (minor & ~0xff) * 4096;
}

/** Nodes made with mknod; in a user namespace that is forbidden, and the host's own are bound instead. */
export function devicesSection(devices: readonly Device[]): Section {
  return section('devices', devices.flatMap(makeDevice), links.map(makeLink), [
    because(
      'every /dev/pts has its own multiplexer',
      mayFail(symlinkat('pts/ptmx', AT.FDCWD, '/dev/ptmx'), 'EEXIST'),
    ),
  ]);
}

function makeDevice({ path, type, major, minor, fileMode = 0o666, uid = 0, gid = 0 }: Device): Item[] {
  const directory = posix.dirname(path);
  const items: Item[] = directory === '/dev' ? [] : makeDirectories(directory);
  // A tmpfs of ours, or a name that the image has already: then it stays what it is, but for its permissions.
  items.push(mayFail(mknodat(AT.FDCWD, path, types[type] | fileMode, makedev(major, minor)), 'EEXIST'));
  if (uid !== 0 || gid !== 0) items.push(fchownat(AT.FDCWD, path, uid, gid, AT.SYMLINK_NOFOLLOW));
  return items;
}

function makeLink([path, target]: [string, string]): Item {
  return mayFail(symlinkat(target, AT.FDCWD, path), 'EEXIST');
}

/** Copies of the host's nodes, made before the root changes, for where mknod is not allowed. */
export function prepareBoundDevices(devices: readonly Device[]): { prepare: Item[]; section: Section } {
  const trees = devices.map(device => ({
    device,
    tree: because(
      'mknod is not allowed in a user namespace',
      openTree(AT.FDCWD, device.path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC),
    ),
  }));
  return {
    prepare: trees.map(({ tree }) => tree),
    section: section(
      'devices',
      trees.flatMap(({ device, tree }) => [
        ...makeMountPoint(device.path, 'file'),
        ...attach(tree, device.path, 'a device of the host'),
      ]),
      links.map(makeLink),
      mayFail(symlinkat('pts/ptmx', AT.FDCWD, '/dev/ptmx'), 'EEXIST'),
    ),
  };
}

/** /dev/console is the container's terminal. */
export function consoleItems(): Item[] {
  const tree: Step = openTree(AT.FDCWD, '/dev/pts/0', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  return [
    ...makeMountPoint('/dev/console', 'file'),
    tree,
    ...attach(tree, '/dev/console', 'what is written to the console appears on the terminal'),
  ];
}
