// Chapter 12. A box that stays.
// Run: node chapters/12-stay/box.ts run [--detach] [--name NAME] [--volume SOURCE:TARGET[:ro]]… [--net box|none|host|NAME]
//        [--publish PORT:PORT]… [--hostname NAME] [--init] [--tty] [--keep] [--memory SIZE] [--cpus NUMBER]
//        [--pids NUMBER] IMAGE [COMMAND…]
//      … box.ts ps | start NAME | stop NAME [SECONDS] | rm NAME | logs [--follow] NAME | exec NAME COMMAND…
//      … box.ts import TAR NAME | images | save NAME TAR | load TAR
import { spawnSync } from 'node:child_process';
import { clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { terminal } from '../06b-terminal/terminal.ts';
import { loadImages, saveImage } from '../09-images/archives.ts';
import { importImage } from '../09-images/images.ts';
import { findImage, tags } from '../09-images/store.ts';
import { environmentOf, inBox } from '../11-exec/exec.ts';
import { keep, remove, startKeeper, stop } from './keeper.ts';
import { parseSpec } from './spec.ts';
import { allStates, createState, describeState, logFile, readState, runningBox } from './state.ts';

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
  import: () => console.log(importImage(first, second).digest),
  images: () => {
    for (const [name, { digest }] of tags()) console.log(`${name}\t${digest}`);
  },
  save: () => saveImage(first, second),
  load: () => console.log(loadImages(first).join('\n')),
};
if (!Object.hasOwn(verbs, verb))
  throw new Mistake(`there is no command ${verb}; there are ${Object.keys(verbs).join(', ')}`);
await verbs[verb]!();
