// Chapter 6. A box with an init.
// Run: node chapters/06-pid-1/box.ts [--init] [--root DIRECTORY] [--hostname NAME]
//        [--volume SOURCE:TARGET[:ro]]… COMMAND…
import { CLONE, call, clone, type Item, kill, mayFail, SIG, sethostname } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { busyboxRoot } from '../05-root/busybox.ts';
import { bindRoot, enterRoot, systemDirectories, volumeInRoot } from '../05-root/root.ts';
import { becomeInit } from './init.ts';

let init = false;
let root: string | undefined;
let hostname = 'box';
const volumes: Volume[] = [];
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) {
  const option = command.shift();
  if (option === '--init') init = true;
  if (option === '--root') root = command.shift();
  if (option === '--hostname') hostname = command.shift() ?? '';
  if (option === '--volume') volumes.push(parseVolume(command.shift() ?? ''));
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
  ...(init ? [becomeInit(command)] : program(command)),
];

const pid = clone(flags, steps);
process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
process.exitCode = await statusOf(pid);
