// The mounts of the runtime spec, in two stages. Before the root changes, each is made detached: a new
// filesystem (fsopen, fsmount), or a copy of a part of the host's tree (open_tree). Afterwards each is
// attached (move_mount) at its place in the container, where no link can lead out.

import type { Mount, Subpath } from '../formats/oci/runtime-spec.ts';
import { AT, F, FSCONFIG, FSMOUNT, FSOPEN, MNT, MOUNT_ATTR, MS, O, OPEN_TREE } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf, type Step } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import {
  chdir,
  close,
  fcntl,
  fsconfig,
  fsmount,
  fsopen,
  mountSetattr,
  openat,
  openTree,
  umount2,
} from '../linux/syscalls.ts';
import { attach, makeMountPoint, openBelow } from './inside.ts';
import { parseMountOptions } from './mount-options.ts';
import { overlay, PLAIN_LAYERS } from './rootfs.ts';
import { type Section, section } from './section.ts';

export interface PreparedMount {
  /** Steps that make the mount, detached. */
  prepare: Item[];
  /** The same for a mount that has to be attached first: they run when nothing more appears on the host. */
  prepareUnseen: Item[];
  attach: Section;
  destination: string;
}

/**
 * @param given.isDirectory whether a bind mount's source on the host is a directory
 * @param given.place a directory where something can be mounted for a moment
 * @param given.made a descriptor, in the process that runs the steps, of the mount if it is made already
 * @param given.userNamespace one of a user namespace whose id maps shift the owners of a bind mount's files
 */
export function prepareMount(
  mount: Mount,
  given: {
    isDirectory: (source: string) => boolean;
    place: string;
    /** Whether a tmpfs of the container's own is mounted there when the steps of `prepareUnseen` run. */
    hasTmpfs?: boolean;
    made?: number | undefined;
    userNamespace?: number | undefined;
  },
): PreparedMount {
  const { destination, type, source, subpath, layers } = mount;
  const part = given.hasTmpfs ? mount.part : undefined;
  const options = parseMountOptions(mount.options ?? []);
  const bind = options.bind || type === 'bind';
  const [tree, prepare] =
    given.made !== undefined
      ? madeTree(given.made)
      : part !== undefined
        ? partTree(`${given.place}/${part}`, options)
        : layers
          ? layersTree(layers, { place: given.place, subpath })
          : bind
            ? shifted(bindTree(source, options, subpath), options, given.userNamespace)
            : newFilesystem(mount, options);
  const isUnseen = layers !== undefined || part !== undefined;
  const kind = subpath?.kind ?? (bind && !given.isDirectory(source) ? 'file' : 'directory');
  const below = subpath === undefined ? '' : `${subpath.path} in `;
  const why = layers ? `${below}the image` : bind ? `${below}${source} of the host` : `a ${type} of its own`;
  return {
    destination,
    prepare: isUnseen ? [] : prepare,
    prepareUnseen: isUnseen ? prepare : [],
    attach: section(
      `mount ${destination}`,
      makeMountPoint(destination, kind),
      attach(tree, destination, why, placeOf(mount, bind)),
    ),
  };
}

/** Files of /proc that may be replaced in a container, as by lxcfs; runc allows the same ones. */
const REPLACEABLE = new Set(
  'cpuinfo diskstats loadavg meminfo net/dev slabinfo stat swaps uptime sys/kernel/ns_last_pid'
    .split(' ')
    .map(name => `/proc/${name}`),
);

function placeOf({ type, destination }: Mount, bind: boolean): 'anywhere' | 'no link' | 'not in proc' {
  if (!bind && (type === 'proc' || type === 'sysfs')) return 'no link';
  return REPLACEABLE.has(destination) ? 'anywhere' : 'not in proc';
}

type Options = ReturnType<typeof parseMountOptions>;

function bindTree(source: string, options: Options, subpath: Subpath | undefined): [Step, Item[]] {
  const [tree, items] = copyOf(source, subpath, options.recursive ? AT.RECURSIVE : 0);
  // Two calls, since attributes and propagation each reach as far down the tree as their own options say.
  if (options.attributes !== 0) {
    const set = encodeMountAttr({ set: options.attributes });
    items.push(because(flagWords(options.attributes), setAttributes(tree, set, false)));
  }
  const { set, clear } = options.below;
  if (set !== 0 || clear !== 0) {
    const why = `the mounts below, too: ${flagWords(set)}`;
    items.push(because(why, setAttributes(tree, encodeMountAttr({ set, clear }), true)));
  }
  return [tree, [...items, ...setPropagation(tree, options.propagation)]];
}

/** With its own attributes instead of those of the mount that it is a part of. */
function partTree(path: string, { attributes }: Options): [Step, Item[]] {
  const [tree, items] = copyOf(path, undefined, 0);
  const { RDONLY, NOSUID, NODEV, NOEXEC, NODIRATIME, ATIME_FIELD } = MOUNT_ATTR;
  const clear = RDONLY | NOSUID | NODEV | NOEXEC | NODIRATIME | ATIME_FIELD;
  return [tree, [...items, setAttributes(tree, encodeMountAttr({ set: attributes, clear }), false)]];
}

function madeTree(number: number): [Step, Item[]] {
  const tree = because('a mount that was filled before', fcntl(number, F.DUPFD_CLOEXEC, 3));
  return [tree, [tree]];
}

function shifted(
  [tree, items]: [Step, Item[]],
  { recursiveMap }: Options,
  userNamespace: number | undefined,
): [Step, Item[]] {
  if (userNamespace === undefined) return [tree, items];
  const map = encodeMountAttr({ set: MOUNT_ATTR.IDMAP, userNamespace });
  return [tree, [...items, because('owners as its id maps say', setAttributes(tree, map, recursiveMap))]];
}

function copyOf(source: string, subpath: Subpath | undefined, recursive: number): [Step, Item[]] {
  const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | recursive;
  if (subpath === undefined) {
    const why = `a copy of the mount at ${source}, to be attached in the container`;
    const tree = because(why, openTree(AT.FDCWD, source, flags));
    return [tree, [tree]];
  }
  const directory = openat(AT.FDCWD, source, O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  const { fd, items } = openBelow(resultOf(directory), subpath.path, O.PATH);
  const why = `a copy of the mount at ${source}, from ${subpath.path} on, to be attached in the container`;
  const tree = because(why, openTree(resultOf(fd), '', flags | AT.EMPTY_PATH));
  return [tree, [directory, ...items, tree, close(resultOf(fd)), close(resultOf(directory))]];
}

/** An image, mounted at `place` for a moment: overlay takes long lists of layers from mount(2) only. */
function layersTree(
  lowerdirs: string[],
  { place, subpath }: { place: string; subpath: Subpath | undefined },
): [Step, Item[]] {
  const [tree, items] = copyOf(place, subpath, 0);
  const mounted = overlay(place, { lowerdirs }, { flags: MS.RDONLY, extra: PLAIN_LAYERS });
  return [tree, [...mounted, chdir('/'), ...items, umount2(place, MNT.DETACH)]];
}

const setAttributes = (tree: Step, attributes: Uint8Array, below: boolean): Step =>
  mountSetattr(resultOf(tree), '', AT.EMPTY_PATH | (below ? AT.RECURSIVE : 0), attributes);

/** MS_PRIVATE, MS_SLAVE, …, with MS_REC to include the mounts below. */
function setPropagation(tree: Step, propagation: number | undefined): Step[] {
  if (propagation === undefined) return [];
  const attributes = encodeMountAttr({ propagation: propagation & ~MS.REC });
  const step = setAttributes(tree, attributes, (propagation & MS.REC) !== 0);
  return [because('whether later mounts on one side appear on the other', step)];
}

function flagWords(attributes: number): string {
  const words: [number, string][] = [
    [MOUNT_ATTR.RDONLY, 'read-only'],
    [MOUNT_ATTR.NOSUID, 'nosuid'],
    [MOUNT_ATTR.NODEV, 'nodev'],
    [MOUNT_ATTR.NOEXEC, 'noexec'],
  ];
  const found = words.filter(([bit]) => (attributes & bit) !== 0).map(([, word]) => word);
  return found.length > 0 ? found.join(', ') : 'its attributes';
}

function newFilesystem(mount: Mount, options: Options): [Step, Item[]] {
  const context = fsopen(mount.type, FSOPEN.CLOEXEC);
  const configure = options.data.map(([key, value]) =>
    value === undefined
      ? fsconfig(resultOf(context), FSCONFIG.SET_FLAG, key, null, 0)
      : fsconfig(resultOf(context), FSCONFIG.SET_STRING, key, value, 0),
  );
  const tree = because(
    `a detached ${mount.type}: it belongs to no directory yet`,
    fsmount(resultOf(context), FSMOUNT.CLOEXEC, options.attributes | options.below.set),
  );
  const items: Item[] = [
    context,
    fsconfig(resultOf(context), FSCONFIG.SET_STRING, 'source', mount.source || mount.type, 0),
    ...configure,
    fsconfig(resultOf(context), FSCONFIG.CMD_CREATE, null, null, 0),
    tree,
    close(resultOf(context)),
  ];
  return [tree, [...items, ...setPropagation(tree, options.propagation)]];
}
