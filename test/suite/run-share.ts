// `npm run test:share [DAY]`: runs the share of the long tests that is due today, or was on another day.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { shareOf, shares } from './shares.ts';

const day = Number(process.argv[2] ?? Math.floor(Date.now() / 86_400_000));
const { file, names } = shareOf(day);
console.log(
  `share ${(day % shares.length) + 1} of ${shares.length}: ${[file, ...(names ?? [])].join(' ')}\nagain: npm run test:share ${day}`,
);
const vitest = join(import.meta.dirname, '../../node_modules/.bin/vitest');
const only = names === undefined ? [] : ['-t', `^(?:${names.join('|')}) `];
process.exitCode = spawnSync(vitest, ['run', file, ...only], { stdio: 'inherit' }).status ?? 1;
