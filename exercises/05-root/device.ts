// Runs a command in a box whose /dev has one device.   Run: node device.ts ROOT DEVICE COMMAND…
import { AT, CLONE, clone, close, type Item, MS, mkdirat, mount, O, openat, resultOf } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { privateMounts } from '../../chapters/02-pid-namespace/own-proc.ts';
import { bindRoot, enterRoot } from '../../chapters/05-root/root.ts';

const [root = '', device = '', ...command] = process.argv.slice(2);

const dev: Item[] = [
  // TODO: a file system of the box's own on dev; in it the device and pts. A file can only be mounted on a file.
];
void [AT, close, MS, mkdirat, mount, O, openat, resultOf, device];

const steps: Item[] = [privateMounts(), bindRoot(root), ...dev, ...enterRoot(root)];
const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
