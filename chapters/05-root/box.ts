// Chapter 5. A box with a root of its own.
// Run: node chapters/05-root/box.ts [--root DIRECTORY] [--hostname NAME] [--volume SOURCE:TARGET[:ro]]… COMMAND…
import { CLONE, clone, type Item, sethostname } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { busyboxRoot } from './busybox.ts';
import { bindRoot, enterRoot, systemDirectories, volumeInRoot } from './root.ts';

let root: string | undefined;
let hostname = 'box';
const volumes: Volume[] = [];
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) {
  const [option, value = ''] = command.splice(0, 2);
  if (option === '--root') root = value;
  if (option === '--hostname') hostname = value;
  if (option === '--volume') volumes.push(parseVolume(value));
}
if (command.length === 0) command.push('sh');
root ??= busyboxRoot();

const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP;
const steps: Item[] = [
  privateMounts(),
  bindRoot(root),
  ...systemDirectories(root),
  ...volumes.flatMap(volume => volumeInRoot(root, volume)),
  ...enterRoot(root),
  sethostname(hostname),
  ...program(command),
];

const pid = clone(flags, steps);
process.exitCode = await statusOf(pid);
