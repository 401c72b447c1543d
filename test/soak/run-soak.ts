// npm run soak -- [PART…] [--seed N] [--amount N]: what is done very often must leave and lose nothing. Each part says how
// much of it the amount is.
import { parseArgs } from 'node:util';
import { churn } from './churn.ts';
import { kills } from './kills.ts';
import { logs } from './logs.ts';
import { many } from './many.ts';
import type { Part } from './part.ts';
import { powerCuts } from './power-cuts.ts';

/** With the amounts of a whole run, which takes hours. */
const PARTS: Record<string, { part: Part; amount: number }> = {
  many: { part: many, amount: 5000 },
  logs: { part: logs, amount: 600 },
  churn: { part: churn, amount: 20_000 },
  kills: { part: kills, amount: 1000 },
  'power-cuts': { part: powerCuts, amount: 100 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, amount: { type: 'string' } },
});
const unknown = positionals.find(each => PARTS[each] === undefined);
if (unknown !== undefined)
  throw new Error(`there is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}`);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
let found = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const { part, amount: whole } = PARTS[name]!;
  const amount = Number(values.amount ?? whole);
  process.stdout.write(`${name}: ${amount}, seed ${seed}\n`);
  const say = (line: string) => process.stdout.write(`  ${line}\n`);
  const findings = await part({ seed, amount, idle: 6000, say }).catch((error: unknown) => [
    String(reasonOf(error)),
  ]);
  process.stdout.write(`${name}: ${findings.length} findings\n`);
  for (const finding of findings) process.stdout.write(`  ${finding}\n`);
  found += findings.length;
}
process.exitCode = found === 0 ? 0 : 1;

/** The first error; the cleanup after it failed too. */
function reasonOf(error: unknown): unknown {
  return error instanceof SuppressedError
    ? `${reasonOf(error.suppressed)}\nthen: ${reasonOf(error.error)}`
    : error;
}
