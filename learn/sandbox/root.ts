// The list of system calls that makes a sandbox's file system: the machine's own under a layer in memory, so that
// changes and deletions happen only in the sandbox. It is the start of a container (chapters 4, 5, 7 and 8), complete.

import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  AT,
  because,
  chdir,
  close,
  fchdir,
  type Item,
  MNT,
  MS,
  mayFail,
  mkdirat,
  mknodat,
  mount,
  mountSetattr,
  O,
  openat,
  pivotRoot,
  resultOf,
  S_IF,
  type Step,
  symlinkat,
  umask,
  umount2,
  writeText,
} from '#linux';
import { type Covering, isBelow, OWN } from './coverings.ts';
import type { Hierarchy } from './groups.ts';

export interface Placed {
  source: string;
  target: string;
  /** 'itself': writes reach the machine; otherwise they go to a layer in memory. */
  as: Covering['as'] | 'itself';
}

export interface RootPlan {
  /** An existing directory that contains nothing that the sandbox needs. */
  stage: string;
  coverings: readonly Covering[];
  /** Empty directories, in which other things are placed. */
  empty: readonly string[];
  /** Symbolic links to make. */
  links: readonly { path: string; to: string }[];
  /** Small files to make. */
  files: readonly { path: string; text: string; mode: number }[];
  /** Files of the machine that are not there: '/usr/bin/podman' */
  hidden: readonly string[];
  /** Directories of the machine that appear at another path: a submission in the work folder. */
  placed: readonly Placed[];
  /** The hierarchies in which the sandbox has its own group. */
  hierarchies: readonly Hierarchy[];
  /** Whether it is made in a user namespace, without root of the machine. */
  userNamespace: boolean;
  /** Whether the kernel refuses changes of its settings (settings.ts). */
  keepsSettings: boolean;
  /** Working directory inside the sandbox. */
  directory: string;
}

const SIZE = 'size=512m';
/** struct mount_attr: attr_set is MOUNT_ATTR_RDONLY. mount_setattr(2) */
const READ_ONLY = new Uint8Array(new BigUint64Array([1n, 0n, 0n, 0n]).buffer);
/** The directory in which mini-docker keeps images and containers. */
const ENGINE_STATE = '/var/lib/mini-docker';
/** Major and minor numbers. <linux/major.h> */
const DEVICES: Record<string, [number, number]> = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
};

export function rootItems(plan: RootPlan): Item[] {
  const { stage } = plan;
  const root = `${stage}/root`;
  // Opened before the stage or a covering hides their paths.
  const covered = plan.coverings.map(({ path, as }) => ({
    target: path,
    as,
    fd: openDirectory(path),
  }));
  const placed = plan.placed.map(({ source, target, as }) => ({ target, as, fd: openDirectory(source) }));
  const all = [...covered, ...placed];
  const cover = (some: typeof all): Item[] =>
    some.flatMap(each => coverItems({ ...each, index: all.indexOf(each), stage, plan }));
  return [
    umask(0),
    because('our mounts must not appear on the machine', mount({ target: '/', flags: MS.REC | MS.PRIVATE })),
    ...all.map(({ fd }) => fd),
    mount({ source: 'sandbox', target: stage, type: 'tmpfs', options: `${SIZE},mode=755` }),
    mkdir(root),
    ...(covered.some(({ target }) => target === '/')
      ? []
      : [mount({ source: 'sandbox', target: root, type: 'tmpfs', options: `${SIZE},mode=755` })]),
    ...cover(covered.filter(({ target }) => !OWN.test(target))),
    ...ownFileSystems(root, plan),
    ...cover(covered.filter(({ target }) => OWN.test(target))),
    ...plan.empty.flatMap(path => [
      ...mkdirs(root, path),
      mount({ source: 'empty', target: root + path, type: 'tmpfs', options: `${SIZE},mode=755` }),
    ]),
    ...plan.links.flatMap(({ path, to }) => [
      ...mkdirs(root, dirname(path)),
      symlinkat(to, AT.FDCWD, root + path),
    ]),
    ...plan.files.flatMap(({ path, text, mode }) => [
      ...mkdirs(root, dirname(path)),
      ...fileItems(root + path, text, mode),
    ]),
    ...cover(placed),
    chdir(root),
    because('the old root now lies on top of the new one, at the same place', pivotRoot('.', '.')),
    because('from here on nothing of the machine can be named any more', umount2('.', MNT.DETACH)),
    because(
      'mounts are shared, as systemd leaves them on most machines: chapter 4 is about it',
      mount({ target: '/', flags: MS.REC | MS.SHARED }),
    ),
    chdir(plan.directory),
    umask(0o022),
  ];
}

function openDirectory(path: string): Step {
  return openat(AT.FDCWD, path, O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
}

function mkdir(path: string, mode = 0o755): Step {
  return mayFail(mkdirat(AT.FDCWD, path, mode), 'EEXIST', 'EROFS');
}

/** Makes a path below root, with all directories on the way. */
function mkdirs(root: string, path: string): Step[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => mkdir(`${root}/${parts.slice(0, index + 1).join('/')}`));
}

/**
 * Shows a directory of the machine under a layer in memory, or in an overlay without an upper layer, which cannot be
 * made writable; or, if the kernel has no overlay, the directory itself, mounted read-only.
 */
function coverItems(options: {
  target: string;
  as: Placed['as'];
  fd: Step;
  index: number;
  stage: string;
  plan: Pick<RootPlan, 'hidden' | 'userNamespace'>;
}): Item[] {
  const { as, fd, index, stage } = options;
  const { hidden, userNamespace } = options.plan;
  const root = `${stage}/root`;
  const target = options.target === '/' ? root : root + options.target;
  const [upper, work] = [`${stage}/upper${index}`, `${stage}/work${index}`];
  const writable = as === 'layer';
  const layers = writable
    ? `lowerdir=.,upperdir=${upper},workdir=${work}${userNamespace ? ',userxattr' : ''}`
    : `lowerdir=${stage}/hidden${index}:.${userNamespace ? ',userxattr' : ''}`;
  const overlay = mayFail(mount({ source: 'sandbox', target, type: 'overlay', options: layers }));
  const done = `covered ${index}`;
  const layered: Item[] = [
    ...(writable
      ? [mkdir(upper), mkdir(work)]
      : whiteouts(`${stage}/hidden${index}`, options.target, hidden)),
    overlay,
    { control: 'when', result: resultOf(overlay), is: 'equal', value: 0, to: done },
  ];
  return [
    ...(options.target === '/' ? [] : mkdirs(root, options.target)),
    fchdir(resultOf(fd)),
    ...(as === 'itself' ? [] : layered),
    // In a user namespace a bind mount must not uncover what lies below other mounts. mount_namespaces(7)
    mount({ source: '.', target, flags: userNamespace ? MS.BIND | MS.REC : MS.BIND }),
    ...(as === 'itself' ? [] : [mountSetattr(AT.FDCWD, target, AT.RECURSIVE, READ_ONLY)]),
    { control: 'label', name: done },
    close(resultOf(fd)),
  ];
}

/** Makes a layer that deletes files of the layer below it: overlay's mark for that is a device with the number 0:0. */
function whiteouts(layer: string, target: string, hidden: readonly string[]): Item[] {
  const below = hidden.filter(path => isBelow(path, target)).map(path => path.slice(target.length));
  return [
    mkdir(layer),
    ...below.flatMap(path => [...mkdirs(layer, dirname(path)), mknodat(AT.FDCWD, layer + path, S_IF.CHR, 0)]),
  ];
}

function fileItems(path: string, text: string, mode: number): Item[] {
  const file = openat(AT.FDCWD, path, O.CREAT | O.TRUNC | O.WRONLY | O.CLOEXEC, mode);
  return [file, writeText(resultOf(file), text), close(resultOf(file))];
}

/** Mounts the sandbox's own /proc, /sys, /dev, /tmp and /run. */
function ownFileSystems(root: string, plan: RootPlan): Item[] {
  const closed = MS.NOSUID | MS.NODEV | MS.NOEXEC;
  const dev = `${root}/dev`;
  return [
    mkdir(`${root}/proc`),
    mount({ source: 'proc', target: `${root}/proc`, type: 'proc', flags: closed }),
    ...(plan.userNamespace || plan.keepsSettings ? [] : readOnlySettings(`${root}/proc/sys`)),
    mkdir(`${root}/sys`),
    mount({ source: 'sysfs', target: `${root}/sys`, type: 'sysfs', flags: closed }),
    because(
      'most files in /sys are the machine’s, whatever namespace shows them',
      mountSetattr(AT.FDCWD, `${root}/sys`, 0, READ_ONLY),
    ),
    ...groupItems(`${root}/sys/fs/cgroup`, plan.hierarchies),
    mkdir(dev),
    mount({ source: 'dev', target: dev, type: 'tmpfs', flags: MS.NOSUID, options: 'size=1m,mode=755' }),
    ...Object.entries(DEVICES).flatMap(([name, numbers]) =>
      plan.userNamespace ? bindDevice(dev, name) : makeDevice(dev, name, numbers),
    ),
    mkdir(`${dev}/pts`),
    mount({
      source: 'devpts',
      target: `${dev}/pts`,
      type: 'devpts',
      flags: MS.NOSUID | MS.NOEXEC,
      options: 'newinstance,ptmxmode=0666,mode=620',
    }),
    symlinkat('pts/ptmx', AT.FDCWD, `${dev}/ptmx`),
    mkdir(`${dev}/shm`),
    mount({
      source: 'shm',
      target: `${dev}/shm`,
      type: 'tmpfs',
      flags: MS.NOSUID | MS.NODEV,
      options: `${SIZE},mode=1777`,
    }),
    symlinkat('/proc/self/fd', AT.FDCWD, `${dev}/fd`),
    ...['stdin', 'stdout', 'stderr'].map((name, fd) =>
      symlinkat(`/proc/self/fd/${fd}`, AT.FDCWD, `${dev}/${name}`),
    ),
    mkdir(`${root}/tmp`),
    mount({
      source: 'tmp',
      target: `${root}/tmp`,
      type: 'tmpfs',
      flags: MS.NOSUID | MS.NODEV,
      options: `${SIZE},mode=1777`,
    }),
    mkdir(`${root}/run`),
    mount({
      source: 'run',
      target: `${root}/run`,
      type: 'tmpfs',
      flags: MS.NOSUID | MS.NODEV,
      options: `${SIZE},mode=755`,
    }),
    ...mkdirs(root, ENGINE_STATE),
    because(
      'overlay accepts no upper layer on an overlay, so containers made in the sandbox have theirs in memory',
      mayFail(
        mount({ source: 'mini-docker', target: root + ENGINE_STATE, type: 'tmpfs', options: SIZE }),
        'ENOENT',
      ),
    ),
  ];
}

/** Makes all settings read-only but those of the network namespace. This protects from mistakes: root can mount another /proc. */
function readOnlySettings(directory: string): Item[] {
  const shared = readdirSync('/proc/sys').filter(name => name !== 'net');
  return shared.flatMap(name => [
    mount({ source: `${directory}/${name}`, target: `${directory}/${name}`, flags: MS.BIND }),
    mountSetattr(AT.FDCWD, `${directory}/${name}`, 0, READ_ONLY),
  ]);
}

/** Makes its own device node: root in the sandbox could change the permissions of the machine's node. */
function makeDevice(dev: string, name: string, [major, minor]: [number, number]): Item[] {
  return [mknodat(AT.FDCWD, `${dev}/${name}`, S_IF.CHR | 0o666, major * 0x100 + minor)];
}

/** Mounts the machine's device node on a file: root of a user namespace may not make nodes. */
function bindDevice(dev: string, name: string): Item[] {
  const file = openat(AT.FDCWD, `${dev}/${name}`, O.CREAT | O.WRONLY | O.CLOEXEC, 0o666);
  return [
    file,
    close(resultOf(file)),
    mount({ source: `/dev/${name}`, target: `${dev}/${name}`, flags: MS.BIND }),
  ];
}

/** Mounts the control groups. In its own cgroup namespace, the sandbox's groups appear as the roots. */
function groupItems(directory: string, hierarchies: readonly Hierarchy[]): Item[] {
  const [only] = hierarchies;
  if (only === undefined) return [];
  const flags = MS.NOSUID | MS.NODEV | MS.NOEXEC;
  if (hierarchies.length === 1 && only.version === 2) {
    return [mount({ source: 'cgroup', target: directory, type: 'cgroup2', flags })];
  }
  return [
    mount({ source: 'cgroups', target: directory, type: 'tmpfs', flags, options: 'size=1m,mode=755' }),
    ...hierarchies.flatMap(({ version, controllers }) => {
      const name = version === 2 ? 'unified' : controllers.join(',');
      const target = `${directory}/${name}`;
      return [
        mkdir(target),
        version === 2
          ? mount({ source: 'cgroup', target, type: 'cgroup2', flags })
          : mount({ source: 'cgroup', target, type: 'cgroup', flags, options: name }),
        ...(controllers.length > 1 && version === 1
          ? controllers.map(controller => symlinkat(name, AT.FDCWD, `${directory}/${controller}`))
          : []),
      ];
    }),
  ];
}
