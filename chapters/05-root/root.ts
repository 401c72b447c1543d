// A root of the box's own: steps for the child, in a mount namespace whose mounts are private.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  AT,
  because,
  chdir,
  close,
  type Item,
  MNT,
  MS,
  mayFail,
  mkdirat,
  mount,
  O,
  openat,
  pivotRoot,
  resultOf,
  type Step,
  symlinkat,
  umount2,
} from '#linux';
import { bindVolume, type Volume } from '../04-mounts/volumes.ts';

/** From here on `root` is /, and no path leads to the old / any more. */
export function enterRoot(root: string): Step[] {
  return [
    chdir(root),
    because('the old root now lies on top of the new one, at the same place', pivotRoot('.', '.')),
    because("the machine's files go out of reach", umount2('.', MNT.DETACH)),
    chdir('/'),
  ];
}

/** Makes the root a mount point, by mounting the directory on itself. */
export function bindRoot(root: string): Step {
  return because(
    'pivot_root needs a mount point',
    mount({ source: root, target: root, flags: MS.BIND | MS.REC }),
  );
}

/** /proc, /sys and /dev, which every program takes for granted. They come before the root is entered. */
export function systemDirectories(root: string): Item[] {
  const closed = MS.NOSUID | MS.NODEV | MS.NOEXEC;
  return [
    makeDirectory(`${root}/proc`),
    mount({ source: 'proc', target: `${root}/proc`, type: 'proc', flags: closed }),
    makeDirectory(`${root}/sys`),
    mount({ source: 'sysfs', target: `${root}/sys`, type: 'sysfs', flags: closed | MS.RDONLY }),
    makeDirectory(`${root}/dev`),
    mount({ source: 'dev', target: `${root}/dev`, type: 'tmpfs', flags: MS.NOSUID, options: 'mode=755' }),
    ...devices(`${root}/dev`),
    ...terminals(`${root}/dev`),
    ...links(`${root}/dev`),
  ];
}

/** The machine's harmless devices, bound one by one: none of them is hardware. */
function devices(dev: string): Item[] {
  return ['null', 'zero', 'full', 'random', 'urandom', 'tty'].flatMap(name => [
    ...makeFile(`${dev}/${name}`),
    mount({ source: `/dev/${name}`, target: `${dev}/${name}`, flags: MS.BIND }),
  ]);
}

/** Each devpts mount has terminals of its own, and its own multiplexer (ptmx) that creates them. */
function terminals(dev: string): Step[] {
  return [
    makeDirectory(`${dev}/pts`),
    mount({
      source: 'devpts',
      target: `${dev}/pts`,
      type: 'devpts',
      flags: MS.NOSUID | MS.NOEXEC,
      options: 'newinstance,ptmxmode=0666,mode=620',
    }),
    symlinkat('pts/ptmx', AT.FDCWD, `${dev}/ptmx`),
  ];
}

function links(dev: string): Step[] {
  return [
    symlinkat('/proc/self/fd', AT.FDCWD, `${dev}/fd`),
    ...['stdin', 'stdout', 'stderr'].map((name, fd) =>
      symlinkat(`/proc/self/fd/${fd}`, AT.FDCWD, `${dev}/${name}`),
    ),
  ];
}

/** A volume in the root. A directory can be bound only on a directory, and a file only on a file: missing ones are made. */
export function volumeInRoot(root: string, volume: Volume): Item[] {
  const target = root + volume.target;
  const isFile = statSync(volume.source, { throwIfNoEntry: false })?.isDirectory() === false;
  return [
    ...makeDirectories(root, isFile ? dirname(volume.target) : volume.target),
    ...(isFile ? makeFile(target) : []),
    ...bindVolume({ ...volume, target }),
  ];
}

/** Creates the missing directories of a path in the root. */
export function makeDirectories(root: string, path: string): Step[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => makeDirectory(`${root}/${parts.slice(0, index + 1).join('/')}`));
}

function makeDirectory(path: string): Step {
  return mayFail(mkdirat(AT.FDCWD, path, 0o755), 'EEXIST');
}

function makeFile(path: string): Step[] {
  const file = openat(AT.FDCWD, path, O.CREAT | O.CLOEXEC, 0o666);
  return [file, close(resultOf(file))];
}
