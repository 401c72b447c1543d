// Chapter 11. A second program in a box.
// Run: node chapters/11-exec/box.ts exec PID COMMAND…
//      … box.ts run [--net box|none|host|PID] [--publish PORT:PORT]… [--name NAME] [--keep]
//        [--hostname NAME] [--init] [--tty] [--memory SIZE] [--cpus NUMBER] [--pids NUMBER]
//        [--volume SOURCE:TARGET[:ro]]… IMAGE [COMMAND…]
//      … box.ts import TAR NAME | images | save NAME TAR | load TAR
import { writeSync } from 'node:fs';
import {
  because,
  CLONE,
  call,
  chdir,
  clone,
  close,
  type Item,
  kill,
  mayFail,
  pipe,
  read,
  SIG,
  sethostname,
  unshare,
} from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { joinNamespace } from '../03-small-namespaces/join.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { enterRoot, systemDirectories, volumeInRoot } from '../05-root/root.ts';
import { becomeInit } from '../06-pid-1/init.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { joinGroup, type Limits, makeGroup, parseSize, removeGroup } from '../07-cgroups/groups.ts';
import { layersOf, mountLayers, removeLayers } from '../08-layers/layers.ts';
import { loadImages, saveImage } from '../09-images/archives.ts';
import { importImage } from '../09-images/images.ts';
import { findImage, tags } from '../09-images/store.ts';
import { layerDirectories } from '../09-images/unpack.ts';
import { connect, disconnect, type Published, parsePublished } from '../10-network/network.ts';
import { environmentOf, inBox } from './exec.ts';

async function run(words: string[]): Promise<void> {
  let init = false;
  let tty = false;
  let keep = false;
  let name = `box-${process.pid}`;
  let hostname = 'box';
  let net = 'box';
  const published: Published[] = [];
  const limits: Limits = {};
  const volumes: Volume[] = [];
  while (words[0]?.startsWith('--')) {
    const option = words.shift();
    if (option === '--init') init = true;
    if (option === '--tty') tty = true;
    if (option === '--keep') keep = true;
    if (option === '--net') net = words.shift() ?? '';
    if (option === '--publish') published.push(parsePublished(words.shift() ?? ''));
    if (option === '--name') name = words.shift() ?? '';
    if (option === '--hostname') hostname = words.shift() ?? '';
    if (option === '--volume') volumes.push(parseVolume(words.shift() ?? ''));
    if (option === '--memory') limits.memory = parseSize(words.shift() ?? '');
    if (option === '--cpus') limits.cpus = Number(words.shift());
    if (option === '--pids') limits.pids = Number(words.shift());
  }
  const image = findImage(words.shift() ?? '');
  const { Cmd = ['sh'], Env = [], WorkingDir = '/' } = image.config.config;
  const command = words.length > 0 ? words : Cmd;
  const environment = Object.fromEntries(Env.map(line => line.split(/=(.*)/s)));

  const layers = layersOf(name, layerDirectories(image));
  const root = layers.merged;
  const group = makeGroup(name, limits);
  const screen = tty ? terminal() : undefined;
  const connected = pipe();
  const ownNetwork = net === 'box' || net === 'none' ? CLONE.NEWNET : 0;
  const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | ownNetwork;
  const steps: Item[] = [
    // Closes our copy of the writing end: while it is open, we would not notice that the parent has ended.
    close(connected.writeEnd),
    because('the cable is laid from outside', read(connected.readEnd, Buffer.alloc(1))),
    ...(Number(net) > 0 ? joinNamespace(`/proc/${net}/ns/net`, CLONE.NEWNET) : []),
    ...joinGroup(group),
    unshare(CLONE.NEWCGROUP),
    privateMounts(),
    mountLayers(layers),
    ...systemDirectories(root),
    ...volumes.flatMap(volume => volumeInRoot(root, volume)),
    ...enterRoot(root),
    sethostname(hostname),
    chdir(WorkingDir),
    ...(screen?.steps ?? []),
    ...(init ? [becomeInit(command, environment)] : program(command, environment)),
  ];

  const pid = clone(flags, steps);
  const connection = net === 'box' ? connect(pid, published) : undefined;
  writeSync(connected.writeEnd, '!');
  process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
  screen?.show(pid);
  process.exitCode = await statusOf(pid);
  if (connection !== undefined) disconnect(connection);
  removeGroup(group);
  if (!keep) removeLayers(name);
}

/** Runs a command in a running box. */
async function exec([target = '', ...command]: string[]): Promise<void> {
  const box = Number(target);
  if (!(box > 0)) throw new Mistake(`a box is named by the pid of its first process, not ${target}`);
  const pid = clone(0, inBox(box, program(command, environmentOf(box))));
  process.exitCode = await statusOf(pid);
}

const [verb, ...words] = process.argv.slice(2);
const [first = '', second = ''] = words;
if (verb === 'run') await run(words);
else if (verb === 'exec') await exec(words);
else if (verb === 'import') console.log(importImage(first, second).digest);
else if (verb === 'images') for (const [name, { digest }] of tags()) console.log(`${name}\t${digest}`);
else if (verb === 'save') saveImage(first, second);
else if (verb === 'load') console.log(loadImages(first).join('\n'));
else console.error('box: run, exec, import, images, save or load?');
