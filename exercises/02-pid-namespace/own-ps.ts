// Runs a command in a box in which ps tells the truth.   Run: node own-ps.ts COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const command = process.argv.slice(2);

const steps: Item[] = [
  // TODO: a /proc of the box's own, which must not appear outside.
];
void [MS, mount];

// TODO: a mount namespace as well.
const pid = clone(CLONE.NEWPID, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
