// npm run fuzz -- [NAME…] [--seed N] [--cases N] [--seconds N]: each fuzzer against a daemon of its own. A finding names the
// seed that shows it again, alone: --seed N --cases 1.
import { parseArgs } from 'node:util';
import { FUZZERS } from './fuzzers.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, cases: { type: 'string' }, seconds: { type: 'string' } },
});
const names = positionals.length > 0 ? positionals : Object.keys(FUZZERS);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
let found = 0;
for (const name of names) {
  const fuzz = FUZZERS[name];
  if (fuzz === undefined)
    throw new Error(`there is no fuzzer ${name}; there are ${Object.keys(FUZZERS).join(', ')}`);
  process.stdout.write(`${name}: seed ${seed}\n`);
  const { cases, findings } = await fuzz({
    seed,
    cases: Number(values.cases ?? 1000),
    patience: Number(values.seconds ?? 60) * 1000,
  });
  process.stdout.write(`${name}: ${cases} cases, ${findings.length} findings\n`);
  for (const finding of findings) process.stdout.write(`  ${finding}\n`);
  found += findings.length;
}
process.exitCode = found === 0 ? 0 : 1;
