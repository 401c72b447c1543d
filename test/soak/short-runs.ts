// A part of `npm run soak`, for some seconds.
import { expect, test } from 'vitest';
import type { Part } from './part.ts';

export function testPart(name: string, part: Part, amount: number): void {
  const seed = Math.floor(Math.random() * 2 ** 31);
  test(`${name} (seed ${seed})`, { timeout: 180_000 }, async () => {
    const said: string[] = [];
    const findings = await part({ seed, amount, idle: 0, say: line => said.push(line) });
    expect(findings, said.join('\n')).toEqual([]);
  });
}
