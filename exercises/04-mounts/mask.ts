// Runs a command in a box in which a file is empty.   Run: node mask.ts FILE COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: what is always empty, on the file; and nobody outside may see it.
];
void [MS, mount, file];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
