import { AT, CLONE, chdir, chroot, clone, mayFail, mkdirat } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { busyboxRoot } from './busybox.ts';
import { bindRoot, enterRoot } from './root.ts';

const root = busyboxRoot();
const jail = [privateMounts(), bindRoot(root), ...enterRoot(root)];

const prisoner = [
  mayFail(mkdirat(AT.FDCWD, 'x', 0o755), 'EEXIST'),
  chroot('x'),
  ...Array.from({ length: 20 }, () => chdir('..')),
  chroot('.'),
];

const pid = clone(CLONE.NEWNS, [...jail, ...prisoner, ...program(process.argv.slice(2))]);
process.exitCode = await statusOf(pid);
