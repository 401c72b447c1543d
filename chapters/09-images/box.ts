// Chapter 9. A box made from an image.
// Run: node chapters/09-images/box.ts run [--name NAME] [--keep] [--hostname NAME] [--init] [--tty] [--memory SIZE]
//        [--cpus NUMBER] [--pids NUMBER] [--volume SOURCE:TARGET[:ro]]… IMAGE [COMMAND…]
//      … box.ts import TAR NAME | images | save NAME TAR | load TAR
import { CLONE, call, chdir, clone, type Item, kill, mayFail, SIG, sethostname, unshare } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { parseVolume, type Volume } from '../04-mounts/volumes.ts';
import { enterRoot, systemDirectories, volumeInRoot } from '../05-root/root.ts';
import { becomeInit } from '../06-pid-1/init.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { joinGroup, type Limits, makeGroup, parseSize, removeGroup } from '../07-cgroups/groups.ts';
import { layersOf, mountLayers, removeLayers } from '../08-layers/layers.ts';
import { loadImages, saveImage } from './archives.ts';
import { importImage } from './images.ts';
import { findImage, tags } from './store.ts';
import { layerDirectories } from './unpack.ts';

async function run(words: string[]): Promise<void> {
  let init = false;
  let tty = false;
  let keep = false;
  let name = `box-${process.pid}`;
  let hostname = 'box';
  const limits: Limits = {};
  const volumes: Volume[] = [];
  while (words[0]?.startsWith('--')) {
    const option = words.shift();
    if (option === '--init') init = true;
    if (option === '--tty') tty = true;
    if (option === '--keep') keep = true;
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
  const flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC;
  const steps: Item[] = [
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
  process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
  screen?.show(pid);
  process.exitCode = await statusOf(pid);
  removeGroup(group);
  if (!keep) removeLayers(name);
}

const [verb, ...words] = process.argv.slice(2);
const [first = '', second = ''] = words;
if (verb === 'run') await run(words);
else if (verb === 'import') console.log(importImage(first, second).digest);
else if (verb === 'images') for (const [name, { digest }] of tags()) console.log(`${name}\t${digest}`);
else if (verb === 'save') saveImage(first, second);
else if (verb === 'load') console.log(loadImages(first).join('\n'));
else console.error('box: run, import, images, save or load?');
