import { chdir, chroot, clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { busyboxRoot } from './busybox.ts';

const pid = clone(0, [chroot(busyboxRoot()), chdir('/'), ...program(process.argv.slice(2))]);
process.exitCode = await statusOf(pid);
