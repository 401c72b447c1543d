// Runs a command in a box in which a file is empty.   Run: node mask.ts FILE COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: mount something that is always empty on the file; the mount must not appear outside.
];
void [MS, mount, file];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
