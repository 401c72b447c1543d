// Sets up /dev: the nodes, the links that programs expect, and the console.

import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Device, Mount } from '../formats/oci/runtime-spec.ts';
import { AT, O, OPEN_TREE, S_IF } from '../linux/constants.ts';
import { statusAt } from '../linux/directory.ts';
import type { Item } from '../linux/program.ts';
import { because, mayFail, resultOf, type Step } from '../linux/step.ts';
import { close, fchmodat, fchownat, mknodat, openTree, symlinkat } from '../linux/syscalls.ts';
import { attach, makeDirectories, makeMountPoint, openInside } from './inside.ts';
import { type Section, section } from './section.ts';

const types: Record<Device['type'], number> = { c: S_IF.CHR, u: S_IF.CHR, b: S_IF.BLK, p: S_IF.IFO };

const links: [name: string, target: string, why?: string][] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
  ['ptmx', 'pts/ptmx', 'every /dev/pts has its own multiplexer'],
];

/** Whether /dev is a directory of the host, or a volume: it stays as it is, as under runc. */
export const isDevGiven = (mounts: readonly Mount[]): boolean =>
  mounts.some(
    ({ destination, type, options }) =>
      posix.join(destination, '.') === '/dev' &&
      (type === 'bind' || options?.some(option => ['bind', 'rbind'].includes(option))),
  );

/** The kernel's encoding of a device number: makedev(3). */
export function makedev(major: number, minor: number): number {
  return (minor & 0xff) + ((major & 0xfff) << 8) + (minor & ~0xff) * 4096;
}

/**
 * Makes the nodes with mknod. In a user namespace that is forbidden; then nodes that were made outside are
 * bind mounted.
 */
export function devicesSection(devices: readonly Device[]): Section {
  const directories = Map.groupBy(devices, ({ path }) => posix.dirname(path));
  if (!directories.has('/dev')) directories.set('/dev', []);
  return section(
    'devices',
    [...directories].flatMap(([directory, devices]) => inDirectory(directory, devices)),
  );
}

/** By descriptor, so that neither the image nor its volumes can redirect a node. */
function inDirectory(directory: string, devices: readonly Device[]): Item[] {
  const { fd, items } = openInside(directory, O.PATH | O.DIRECTORY);
  return [
    ...(directory === '/dev' ? [] : makeDirectories(directory)),
    ...items,
    ...devices.flatMap(device => makeDevice(fd, device)),
    ...(directory === '/dev' ? makeLinks(fd) : []),
    close(resultOf(fd)),
  ];
}

function makeDevice(
  directory: Step,
  { path, type, major, minor, fileMode = 0o666, uid = 0, gid = 0 }: Device,
): Item[] {
  const name = posix.basename(path);
  const node = mknodat(resultOf(directory), name, types[type] | fileMode, makedev(major, minor));
  // On our tmpfs it is new. If the image already has the name, the file stays, except for its owner.
  const items: Item[] = [mayFail(node, 'EEXIST')];
  if (uid !== 0 || gid !== 0) {
    items.push(fchownat(resultOf(directory), name, uid, gid, AT.SYMLINK_NOFOLLOW));
  }
  return items;
}

function makeLinks(directory: Step): Item[] {
  return links.map(([name, target, why]) => {
    const link = mayFail(symlinkat(target, resultOf(directory), name), 'EEXIST');
    return why === undefined ? link : because(why, link);
  });
}

/**
 * The host's node with the number of a device, for a daemon that may make none: the one of the same name, or
 * else the first one below /dev.
 */
export function hostNode({ type, path, major, minor }: Device): string {
  const isSame = (file: string): boolean => {
    const status = statusAt(AT.FDCWD, file);
    const [isKind, numbers] = [(status?.mode ?? 0) & S_IF.MT, [status?.rdevMajor, status?.rdevMinor]];
    return isKind === types[type] && numbers[0] === major && numbers[1] === minor;
  };
  if (isSame(path)) return path;
  const others = readdirSync('/dev', { recursive: true, encoding: 'utf8' }).map(name => `/dev/${name}`);
  return others.find(isSame) ?? path;
}

/**
 * For a user namespace, where mknod is not allowed: bind mounts the nodes that stagedDevices() made.
 * @param place the path of the node with this index, before the root changes
 */
export function prepareBoundDevices(
  devices: readonly Device[],
  place: (index: number, device: Device) => string,
): { prepare: Item[]; section: Section } {
  const trees = devices.map((device, index) => ({
    device,
    tree: because(
      'mknod is not allowed in a user namespace',
      openTree(AT.FDCWD, place(index, device), OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC),
    ),
  }));
  return {
    prepare: trees.map(({ tree }) => tree),
    section: section(
      'devices',
      trees.flatMap(({ device, tree }) => [
        ...makeMountPoint(device.path, 'file'),
        ...attach(tree, device.path, 'a node that was made for this container'),
      ]),
      inDirectory('/dev', []),
    ),
  };
}

/**
 * Made by a process that is the host's root. The host's own nodes are not used, since root of the container
 * could own them.
 */
export function stagedDevices(
  devices: readonly Device[],
  options: {
    place: (index: number) => string;
    onHost: (owner: { uid: number; gid: number }) => { uid: number; gid: number };
  },
): Item[] {
  return devices.flatMap(({ type, major, minor, fileMode = 0o666, uid = 0, gid = 0 }, index) => {
    const path = options.place(index);
    const owner = options.onHost({ uid, gid });
    return [
      mknodat(AT.FDCWD, path, types[type] | fileMode, makedev(major, minor)),
      fchmodat(AT.FDCWD, path, fileMode & 0o7777),
      fchownat(AT.FDCWD, path, owner.uid, owner.gid, AT.SYMLINK_NOFOLLOW),
    ];
  });
}

/** Makes /dev/console the container's terminal. */
export function consoleItems(): Item[] {
  // By its descriptor, since /dev/pts/0 may be another file by now, or a link to one.
  const tree: Step = openTree(0, '', OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH);
  return [
    ...makeMountPoint('/dev/console', 'file'),
    tree,
    ...attach(tree, '/dev/console', 'what is written to the console appears on the terminal'),
  ];
}
