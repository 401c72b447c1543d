// Chapter 14. Images from a recipe. With this, the box is a small Docker.
// Run: node chapters/14-build/box.ts run [--detach] [--name NAME] [--volume SOURCE:TARGET[:ro]]… [--net box|none|host|NAME]
//        [--publish PORT:PORT]… [--hostname NAME] [--init] [--tty] [--keep] [--memory SIZE] [--cpus NUMBER]
//        [--pids NUMBER] IMAGE [COMMAND…]
//      … box.ts ps | start NAME | stop NAME [SECONDS] | rm NAME | logs [--follow] NAME | exec NAME COMMAND…
//      … box.ts build DIRECTORY NAME
//      … box.ts diff NAME | commit NAME IMAGE [COMMAND…]
//      … box.ts import TAR NAME | images | save NAME TAR | load TAR
import { spawnSync } from 'node:child_process';
import { clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { layersOf } from '../08-layers/layers.ts';
import { loadImages, saveImage } from '../09-images/archives.ts';
import { importImage } from '../09-images/images.ts';
import { findImage, readImage, tags } from '../09-images/store.ts';
import { layerDirectories } from '../09-images/unpack.ts';
import { environmentOf, inBox } from '../11-exec/exec.ts';
import { keep, remove, startKeeper, stop } from '../12-stay/keeper.ts';
import { addedVerbs, parseSpec } from '../12-stay/spec.ts';
import { allStates, createState, describeState, logFile, readState, runningBox } from '../12-stay/state.ts';
import { changesOf } from '../13-commit/changes.ts';
import { commit } from '../13-commit/commit.ts';
import { build } from './build.ts';

async function run(words: string[]): Promise<void> {
  const { spec, flags } = parseSpec(words);
  const [detach, tty, stay] = [flags.delete('--detach'), flags.delete('--tty'), flags.delete('--keep')];
  if (flags.size > 0) throw new Mistake(`run has no option ${[...flags].join(' ')}`);
  if (detach && tty)
    throw new Mistake('--tty needs your terminal, and --detach leaves it: use only one of them');
  // Fails before anything is made if there is no such image.
  findImage(spec.image);
  createState(spec, tags().get(spec.image)!);
  if (detach) {
    await startKeeper(spec.name);
    console.log(spec.name);
    return;
  }
  process.exitCode = await keep(spec.name, tty ? terminal() : undefined);
  if (!stay) remove(spec.name);
}

/** Runs a command in a running box. */
async function exec([name = '', ...command]: string[]): Promise<void> {
  const box = runningBox(name);
  const pid = clone(0, inBox(box, program(command, environmentOf(box))));
  process.exitCode = await statusOf(pid);
}

/** Prints a box's output so far; with --follow, also its further output until it ends. */
function logs(words: string[]): void {
  const name = words.at(-1) ?? '';
  const { keeper } = readState(name);
  const follow =
    words.includes('--follow') && keeper !== undefined ? ['--follow', `--pid=${keeper.pid}`] : [];
  spawnSync('tail', ['--lines=+1', ...follow, logFile(name)], { stdio: 'inherit' });
}

function ps(): void {
  for (const state of allStates()) {
    const { name, image, command } = state.spec;
    console.log([name, image, command.join(' '), describeState(state)].join('\t'));
  }
}

function diff(name: string): void {
  const layers = layersOf(name, layerDirectories(readImage(readState(name).image)));
  for (const { kind, path } of changesOf(layers)) console.log(`${kind} ${path}`);
}

const [verb = '', ...words] = process.argv.slice(2);
const [first = '', second = ''] = words;
const verbs: Record<string, () => unknown> = {
  run: () => run(words),
  keep: async () => {
    process.exitCode = await keep(first);
  },
  ps,
  start: () => startKeeper(first),
  stop: () => stop(first, Number(second || 10)),
  rm: () => remove(first),
  logs: () => logs(words),
  exec: () => exec(words),
  build: () => build(first, second),
  diff: () => diff(first),
  commit: () => console.log(commit(first, second, words.slice(2)).digest),
  import: () => console.log(importImage(first, second).digest),
  images: () => {
    for (const [name, { digest }] of tags()) console.log(`${name}\t${digest}`);
  },
  save: () => saveImage(first, second),
  load: () => console.log(loadImages(first).join('\n')),
};
if (!Object.hasOwn(verbs, verb))
  throw new Mistake(
    `there is no command ${verb}; there are ${[...Object.keys(verbs), ...addedVerbs].join(', ')}`,
  );
await verbs[verb]!();
