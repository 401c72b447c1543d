// Runs a command in a box that follows the machine's mounts.   Run: node follow.ts DIRECTORY COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [directory = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: the propagation that lets mounts in, and none out. Set it for all mounts, not only for that of /.
  // Then the tmpfs.
];
void [MS, mount, directory];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
