// Three power cuts; `npm run soak -- power-cuts` has 100.
import { expect, test } from 'vitest';
import { isFetched } from '../vm/image.ts';
import { powerCuts } from './power-cuts.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

test.skipIf(!isFetched('x64'))(
  `a machine whose power is cut has lost nothing that it answered (seed ${seed})`,
  { timeout: 1_800_000 },
  async () => {
    const said: string[] = [];
    const findings = await powerCuts({ seed, amount: 3, idle: 0, say: line => said.push(line) });
    expect(findings, said.join('\n')).toEqual([]);
  },
);
