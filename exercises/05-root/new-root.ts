// Runs a command in a box with this root.   Run: node new-root.ts ROOT COMMAND…
import { CLONE, chdir, clone, type Item, MNT, MS, mount, pivotRoot, umount2 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [root = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: no mount leaks; the root becomes a mount point; the two roots are swapped; the old one goes away.
];
void [chdir, MNT, MS, mount, pivotRoot, umount2, root];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
