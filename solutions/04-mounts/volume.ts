// Runs a command in a box with a read-only volume.   Run: node volume.ts SOURCE TARGET COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [source = '', target = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  mount({ target: '/', flags: MS.REC | MS.PRIVATE }),
  mount({ source, target, flags: MS.BIND }),
  mount({ target, flags: MS.BIND | MS.REMOUNT | MS.RDONLY }),
];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
