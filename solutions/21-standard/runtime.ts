// A runtime whose boxes can be paused.   Run: node runtime.ts VERB …, as box.ts, and pause ID, resume ID
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Mistake } from '../../chapters/04-mounts/mistake.ts';
import { create } from '../../chapters/21-standard/create.ts';
import { remove, signal, start } from '../../chapters/21-standard/life.ts';
import { type Box, readBox, stateOf, statusOf } from '../../chapters/21-standard/record.ts';

/** The files of a group with which it is frozen, and that tell whether it is. */
interface Freezer {
  file: string;
  frozen: string;
  thawed: string;
  /** The file that tells whether all processes of the group are frozen, and how. */
  told: string;
  isFrozen: RegExp;
}

/** cgroups(7): version 1 has a tree for it, and version 2 two files in every group. */
function freezerOf({ group = [] }: Box): Freezer {
  const old = group.find(directory => existsSync(`${directory}/freezer.state`));
  if (old !== undefined) {
    const file = `${old}/freezer.state`;
    return { file, frozen: 'FROZEN', thawed: 'THAWED', told: file, isFrozen: /^FROZEN/ };
  }
  const [directory] = group;
  const [file, told] = [`${directory}/cgroup.freeze`, `${directory}/cgroup.events`];
  return { file, frozen: '1', thawed: '0', told, isFrozen: /^frozen 1$/m };
}

function status(box: Box): string {
  const found = statusOf(box);
  const { told, isFrozen } = freezerOf(box);
  return found === 'running' && isFrozen.test(readFileSync(told, 'utf8')) ? 'paused' : found;
}

/** Returns when every process of the box stands still. */
async function pause(box: Box): Promise<void> {
  const found = status(box);
  if (found !== 'running') throw new Mistake(`cannot pause ${box.id}: it is ${found}`);
  const { file, frozen, told, isFrozen } = freezerOf(box);
  writeFileSync(file, frozen);
  while (!isFrozen.test(readFileSync(told, 'utf8'))) await sleep(5);
}

function resume(box: Box): void {
  const found = status(box);
  if (found !== 'paused') throw new Mistake(`cannot resume ${box.id}: it is ${found}`);
  const { file, thawed } = freezerOf(box);
  writeFileSync(file, thawed);
}

/** SIGKILL ends also a box that is paused. */
function kill(box: Box, name: string, all: boolean): void {
  const { file, thawed } = freezerOf(box);
  const wasPaused = status(box) === 'paused';
  signal(box, name, all);
  if (wasPaused && /^(SIG)?KILL$|^9$/.test(name)) writeFileSync(file, thawed);
}

async function end(box: Box, force: boolean): Promise<void> {
  if (force && status(box) === 'paused') kill(box, 'KILL', false);
  await remove(box, force);
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { ...text, default: '/tmp/box/runtime' },
    bundle: { ...text, short: 'b', default: '.' },
    'pid-file': text,
    'console-socket': text,
    all: { ...flag, short: 'a' },
    force: { ...flag, short: 'f' },
  },
});
const [verb = '', id = '', name = 'TERM'] = positionals;
const { root, force = false, all = false } = values;
const box = (): Box => readBox(root, id);
const files = { pidFile: values['pid-file'], consoleSocket: values['console-socket'] };
const verbs: Record<string, () => unknown> = {
  create: () => create({ root, id, bundle: resolve(values.bundle), ...files }),
  start: () => start(box()),
  state: () => console.log(JSON.stringify({ ...stateOf(box()), status: status(box()) })),
  kill: () => kill(box(), name, all),
  delete: () => end(box(), force),
  pause: () => pause(box()),
  resume: () => resume(box()),
};
try {
  await verbs[verb]!();
  process.exit(0);
} catch (error) {
  console.error(`box: ${(error as Error).message}`);
  process.exit(1);
}
