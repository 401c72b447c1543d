// Runs a command in a box with a read-only volume.   Run: node volume.ts SOURCE TARGET COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [source = '', target = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  // TODO: no mount may leak; SOURCE at TARGET; and read-only, which takes a call of its own.
];
void [MS, mount, source, target];

const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
