// Keeps a UTS namespace with this host name in a file.   Run: node keep.ts FILE NAME
import { AT, CLONE, clone, close, type Item, MS, mount, O, openat, resultOf, sethostname } from '#linux';
import { statusOf } from '../../chapters/01-process/program.ts';

const [file = '', name = ''] = process.argv.slice(2);

const empty = openat(AT.FDCWD, file, O.CREAT | O.WRONLY | O.CLOEXEC, 0o644);
const steps: Item[] = [
  sethostname(name),
  empty,
  close(resultOf(empty)),
  mount({ source: '/proc/self/ns/uts', target: file, flags: MS.BIND }),
];

const pid = clone(CLONE.NEWUTS, steps);
process.exitCode = await statusOf(pid);
