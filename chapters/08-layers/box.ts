// Chapter 8. A box made of layers.
// Run: node chapters/08-layers/box.ts [--layer DIRECTORY]… [--name NAME] [--keep] [--hostname NAME] [--init] [--tty]
//        [--memory SIZE] [--cpus NUMBER] [--pids NUMBER] [--volume SOURCE:TARGET[:ro]]… COMMAND…
import { CLONE, call, clone, type Item, kill, mayFail, SIG, sethostname, unshare } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { busyboxRoot } from '../05-root/busybox.ts';
import { enterRoot, systemDirectories, volumeInRoot } from '../05-root/root.ts';
import { becomeInit } from '../06-pid-1/init.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { joinGroup, type Limits, makeGroup, parseSize, removeGroup } from '../07-cgroups/groups.ts';
import { layersOf, mountLayers, removeLayers } from './layers.ts';

let init = false;
let tty = false;
let keep = false;
let name = `box-${process.pid}`;
let hostname = 'box';
const lower: string[] = [];
const limits: Limits = {};
const volumes: Volume[] = [];
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) {
  const option = command.shift();
  if (option === '--init') init = true;
  if (option === '--tty') tty = true;
  if (option === '--keep') keep = true;
  if (option === '--layer') lower.push(command.shift() ?? '');
  if (option === '--name') name = command.shift() ?? '';
  if (option === '--hostname') hostname = command.shift() ?? '';
  if (option === '--volume') volumes.push(parseVolume(command.shift() ?? ''));
  if (option === '--memory') limits.memory = parseSize(command.shift() ?? '');
  if (option === '--cpus') limits.cpus = Number(command.shift());
  if (option === '--pids') limits.pids = Number(command.shift());
}
if (command.length === 0) command.push('sh');
if (lower.length === 0) lower.push(busyboxRoot());

const layers = layersOf(name, lower);
const root = layers.merged;
const group = makeGroup(name, limits);
const screen = tty ? terminal() : undefined;
const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC;
const steps: Item[] = [
  ...joinGroup(group),
  // Only now: a cgroup namespace begins at the group that its creator is in.
  unshare(CLONE.NEWCGROUP),
  privateMounts(),
  mountLayers(layers),
  ...systemDirectories(root),
  ...volumes.flatMap(volume => volumeInRoot(root, volume)),
  ...enterRoot(root),
  sethostname(hostname),
  ...(screen?.steps ?? []),
  ...(init ? [becomeInit(command)] : program(command)),
];

const pid = clone(flags, steps);
process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
screen?.show(pid);
process.exitCode = await statusOf(pid);
removeGroup(group);
if (!keep) removeLayers(name);
