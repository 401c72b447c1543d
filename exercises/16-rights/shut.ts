// Runs a command that can read a path, and not write it.   Run: node shut.ts PATH COMMAND…
import { CAP, CLONE, clone, type Item, MS, mount, PR, prctl } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { privateMounts } from '../../chapters/02-pid-namespace/own-proc.ts';

const [path = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  privateMounts(),
  // TODO: the path becomes read-only, and stays it.
  ...program(command),
];
void [CAP, MS, PR, mount, path, prctl];

const pid = clone(CLONE.NEWNS, steps);
process.exitCode = await statusOf(pid);
