// A root of the box's own. All of it is steps of the child's, in a mount namespace whose mounts are private.
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

/** From here on `root` is /, and what was / before cannot be named any more. */
export function enterRoot(root: string): Step[] {
  return [
    chdir(root),
    because('the old root now lies on top of the new one, at the same place', pivotRoot('.', '.')),
    because('nothing of the machine stays within reach', umount2('.', MNT.DETACH)),
    chdir('/'),
  ];
}

/** What is mounted is a mount point: the directory on itself. */
export function bindRoot(root: string): Step {
  return because(
    'pivot_root wants a mount point',
    mount({ source: root, target: root, flags: MS.BIND | MS.REC }),
  );
}

/** /proc, /sys and /dev, which every program takes for granted. To be made before the root is entered. */
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

/** These do no harm: none of them is hardware. The machine's own, bound one by one. */
function devices(dev: string): Item[] {
  return ['null', 'zero', 'full', 'random', 'urandom', 'tty'].flatMap(name => {
    const file = openat(AT.FDCWD, `${dev}/${name}`, O.CREAT | O.WRONLY | O.CLOEXEC, 0o666);
    return [
      file,
      close(resultOf(file)),
      mount({ source: `/dev/${name}`, target: `${dev}/${name}`, flags: MS.BIND }),
    ];
  });
}

/** Each mount of devpts has terminals of its own, and its own multiplexer (ptmx) that makes them. */
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

/** Directories for a path in the root, as far as they are missing. */
export function makeDirectories(root: string, path: string): Step[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => makeDirectory(`${root}/${parts.slice(0, index + 1).join('/')}`));
}

function makeDirectory(path: string): Step {
  return mayFail(mkdirat(AT.FDCWD, path, 0o755), 'EEXIST');
}
