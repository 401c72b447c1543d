// Chapter 4. A box with mounts of its own.
// Run: node chapters/04-mounts/box.ts [--hostname NAME] [--volume SOURCE:TARGET[:ro]]… [--mounts slave] COMMAND…
import { CLONE, clone, type Item, MS, mount, sethostname } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { ownProc } from '../02-pid-namespace/own-proc.ts';
import { bindVolume, parseVolume, type Volume } from './volumes.ts';

let hostname = 'box';
let propagation: number = MS.PRIVATE;
const volumes: Volume[] = [];
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) {
  const [option, value = ''] = command.splice(0, 2);
  if (option === '--hostname') hostname = value;
  if (option === '--volume') volumes.push(parseVolume(value));
  if (option === '--mounts' && value === 'slave') propagation = MS.SLAVE;
}
if (command.length === 0) command.push('sh');

const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP;
const steps: Item[] = [
  mount({ target: '/', flags: MS.REC | propagation }),
  ...volumes.flatMap(bindVolume),
  ownProc(),
  sethostname(hostname),
  ...program(command),
];

const pid = clone(flags, steps);
process.exitCode = await statusOf(pid);
