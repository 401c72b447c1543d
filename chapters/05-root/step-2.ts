import { AT, chdir, chroot, clone, mayFail, mkdirat } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { busyboxRoot } from './busybox.ts';

const jail = [chroot(busyboxRoot()), chdir('/')];

const prisoner = [
  mayFail(mkdirat(AT.FDCWD, 'x', 0o755), 'EEXIST'),
  chroot('x'),
  ...Array.from({ length: 20 }, () => chdir('..')),
  chroot('.'),
];

const pid = clone(0, [...jail, ...prisoner, ...program(process.argv.slice(2))]);
process.exitCode = await statusOf(pid);
