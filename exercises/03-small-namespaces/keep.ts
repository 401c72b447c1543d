// Keeps a UTS namespace with this host name in a file.   Run: node keep.ts FILE NAME
import { AT, CLONE, clone, close, type Item, MS, mount, O, openat, resultOf, sethostname } from '#linux';
import { statusOf } from '../../chapters/01-process/program.ts';

const [file = '', name = ''] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: set the name; create the file; mount the namespace's link on it. No program: the child just ends.
];
void [AT, close, MS, mount, O, openat, resultOf, sethostname, file, name];

const pid = clone(CLONE.NEWUTS, steps);
process.exitCode = await statusOf(pid);
