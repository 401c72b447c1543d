// In the machine whose power is cut: looks at what the last cut has left, and then changes things until the next one.
//   node power-cuts-scenes.js FACTS SEED
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../fuzz/random.ts';
import { repository } from '../vm/image.ts';
import { askOf } from './engine-requests.ts';
import { Facts, type Told } from './facts.ts';
import { verify } from './verify.ts';
import { work } from './workload.ts';

const [factsFile = '', seed = '0'] = process.argv.slice(2);
const say = (what: string, value: unknown) =>
  process.stdout.write(`soak: ${what} ${JSON.stringify(value)}\n`);
const disk = '/run/engine';
const socket = '/run/mini-docker/docker.sock';

mkdirSync(disk);
execFileSync('mount', ['-t', 'ext4', '-o', 'data=ordered', '/dev/vdb', disk]);
const daemon = spawn(
  join(repository, 'node_modules/.bin/node'),
  [
    join(repository, 'bin/main.cjs'),
    'daemon',
    ...['--data-root', join(disk, 'data'), '--run-dir', '/run/mini-docker', '--host', `unix://${socket}`],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
daemon.stdout.setEncoding('utf8').on('data', (text: string) => {
  for (const line of text.split('\n')) if (/ (warning|error) /.test(line)) say('log', line);
});
daemon.on('exit', code => say('finding', `the daemon ended with ${code}`));

const ask = askOf(socket);
while ((await ask('GET', '/_ping')) === undefined) await sleep(50);
const before = new Facts();
for (const { kind, name, fate } of JSON.parse(readFileSync(factsFile, 'utf8')) as Told[])
  before.tell(kind, name, fate);
for (const finding of await verify({ ask, facts: before, rebooted: true, images: 100 }))
  say('finding', finding);
say('settled', before.all());

const facts = new Facts(told => say('told', told));
for (const { kind, name, fate } of before.all()) facts.tell(kind, name, fate);
const random = seeded(Number(seed));
say('working', true);
await Promise.all(
  ['client0', 'client1'].map(name =>
    work(
      {
        name,
        ask,
        facts,
        registry: undefined,
        random: seeded(random.integer(2 ** 31)),
        wrong: finding => say('finding', finding),
      },
      new AbortController().signal,
    ),
  ),
);
