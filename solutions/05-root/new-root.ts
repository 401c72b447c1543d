// Runs a command in a box with this root.   Run: node new-root.ts ROOT COMMAND…
import { CLONE, chdir, clone, type Item, MNT, MS, mount, pivotRoot, umount2 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [root = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  mount({ target: '/', flags: MS.REC | MS.PRIVATE }),
  mount({ source: root, target: root, flags: MS.BIND }),
  chdir(root),
  pivotRoot('.', '.'),
  umount2('.', MNT.DETACH),
  chdir('/'),
];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
