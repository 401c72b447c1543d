// Each part of `npm run soak` once, for some seconds.
import { describe, expect, test } from 'vitest';
import { churn } from './churn.ts';
import { kills } from './kills.ts';
import { logs } from './logs.ts';
import { many } from './many.ts';
import type { Part } from './part.ts';

describe.each<{ name: string; part: Part; amount: number }>([
  { name: '40 containers at once start alike, and leave nothing', part: many, amount: 40 },
  { name: '10,000 lines a second arrive whole and in order', part: logs, amount: 2 },
  { name: 'containers that come and go leave nothing', part: churn, amount: 40 },
  {
    name: 'a killed daemon has lost nothing that it answered, and leaves nothing half made',
    part: kills,
    amount: 3,
  },
])('soak', ({ name, part, amount }) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  test(`${name} (seed ${seed})`, { timeout: 180_000 }, async () => {
    const said: string[] = [];
    const findings = await part({ seed, amount, idle: 0, say: line => said.push(line) });
    expect(findings, said.join('\n')).toEqual([]);
  });
});
