// The file systems of a box, as config.json lists them. They are mounted from within its root, where no link leads out.
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import {
  AT,
  because,
  chdir,
  chroot,
  close,
  fchdir,
  type Item,
  MOVE_MOUNT,
  MS,
  mayFail,
  mknodat,
  mount,
  moveMount,
  O,
  OPEN_TREE,
  openat,
  openTree,
  resultOf,
  S_IF,
  type Step,
  symlinkat,
  umask,
  writeText,
} from '#linux';
import { makeDirectories } from '../05-root/root.ts';
import type { Group } from '../07-cgroups/groups.ts';
import type { Config, Mount } from './bundle.ts';

/** Options of mount(8) that are flags of mount(2). All others belong to the file system. */
const FLAGS: Record<string, number> = {
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  noatime: MS.NOATIME,
  nodiratime: MS.NODIRATIME,
  relatime: MS.RELATIME,
  strictatime: MS.STRICTATIME,
};
/** Options that ask for what is so anyway: our mounts are all private, and writable if nothing else is said. */
const IDLE = /^(rw|r?bind|r?private|r?slave|r?shared|defaults|exec|dev|suid|tmpcopyup)$/;

/** Steps in the box's mount namespace. After them, the process is back in the machine's root. */
export function mountAll(config: Config, bundle: string, group: Group): Item[] {
  const mounts = (config.mounts ?? []).flatMap(each => prepare(each, bundle, group));
  const machine = openat(AT.FDCWD, '/', O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  return [
    because('the way back', machine),
    ...mounts.flatMap(({ before }) => before),
    because('in here, a link of the root leads nowhere else', chroot(config.root.path)),
    chdir('/'),
    umask(0),
    ...mounts.flatMap(({ inside }) => inside),
    ...devices(config),
    ...settings(config),
    because('out again: chapter 5 called it a way out of the prison', fchdir(resultOf(machine))),
    chroot('.'),
    close(resultOf(machine)),
  ];
}

/** Steps while the machine's files can be seen, and steps inside the root. */
interface Prepared {
  before: Item[];
  inside: Item[];
}

function prepare(asked: Mount, bundle: string, group: Group): Prepared[] {
  const { destination, type = 'none', source = type, options = [] } = asked;
  if (type === 'cgroup' || type === 'cgroup2') return cgroup(asked, group);
  const flags = options.reduce((all, option) => all | (FLAGS[option] ?? 0), 0);
  if (!/^r?bind$/.test(type) && !options.some(option => /^r?bind$/.test(option))) {
    const data = options.filter(option => !(option in FLAGS) && !IDLE.test(option)).join(',');
    const made = mount({ source, target: destination, type, flags, options: data });
    return [{ before: [], inside: [...makeDirectories('', destination), made] }];
  }
  const from = resolve(bundle, source);
  const isFile = statSync(from, { throwIfNoEntry: false })?.isDirectory() === false;
  const tree = openTree(AT.FDCWD, from, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE);
  return [
    {
      before: [because('a copy of the mount, which is nowhere yet', tree)],
      inside: [
        ...makeDirectories('', isFile ? dirname(destination) : destination),
        ...(isFile ? [mayFail(mknodat(AT.FDCWD, destination, S_IF.REG | 0o644, 0), 'EEXIST')] : []),
        moveMount(resultOf(tree), '', AT.FDCWD, destination, MOVE_MOUNT.F_EMPTY_PATH),
        ...(flags === 0 ? [] : [mount({ target: destination, flags: flags | MS.BIND | MS.REMOUNT })]),
      ],
    },
  ];
}

/** The box sees its own group, which it may not change: one directory in version 2, one for each tree in version 1. */
function cgroup({ destination }: Mount, group: Group): Prepared[] {
  const bind = (source: string, target: string): Prepared[] =>
    prepare(
      { destination: target, type: 'bind', source, options: ['ro', 'nosuid', 'nodev', 'noexec'] },
      '/',
      group,
    );
  if (group.length === 1) return bind(group[0]!, destination);
  return [
    ...prepare({ destination, type: 'tmpfs', options: ['mode=755'] }, '/', group),
    ...group.flatMap(directory => bind(directory, `${destination}/${tree(directory)}`)),
  ];
}

/** '/sys/fs/cgroup/memory/box/web' → 'memory' */
const tree = (directory: string): string => directory.split('/')[4] ?? basename(directory);

/** Those that every box has, whatever config.json says (config-linux.md, "Default Devices"), and those that it asks for. */
function devices({ linux }: Config): Item[] {
  const usual = { null: 3, zero: 5, full: 7, random: 8, urandom: 9 };
  return [
    ...makeDirectories('', '/dev'),
    ...Object.entries(usual).map(([name, minor]) => node(`/dev/${name}`, S_IF.CHR | 0o666, [1, minor])),
    node('/dev/tty', S_IF.CHR | 0o666, [5, 0]),
    ...(linux?.devices ?? []).map(({ path, type, major = 0, minor = 0, fileMode = 0o666 }) =>
      node(path, (type === 'b' ? S_IF.BLK : S_IF.CHR) | fileMode, [major, minor]),
    ),
    link('pts/ptmx', '/dev/ptmx'),
    link('/proc/self/fd', '/dev/fd'),
    ...['stdin', 'stdout', 'stderr'].map((name, fd) => link(`/proc/self/fd/${fd}`, `/dev/${name}`)),
  ];
}

/** makedev(3), for numbers that are not huge. */
function node(path: string, mode: number, [major, minor]: [number, number]): Step {
  return mayFail(mknodat(AT.FDCWD, path, mode, (major << 8) | minor), 'EEXIST');
}

const link = (to: string, path: string): Step => mayFail(symlinkat(to, AT.FDCWD, path), 'EEXIST');

/** sysctl(8): a setting of the box's own namespaces is a file in its own /proc. */
function settings({ linux }: Config): Item[] {
  return Object.entries(linux?.sysctl ?? {}).flatMap(([name, value]) => {
    const file = openat(AT.FDCWD, `/proc/sys/${name.replaceAll('.', '/')}`, O.WRONLY | O.CLOEXEC, 0);
    return [file, writeText(resultOf(file), value), close(resultOf(file))];
  });
}
