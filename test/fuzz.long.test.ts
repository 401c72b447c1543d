// A short run of each fuzzer, the same every time; `npm run fuzz` goes on from there for as long as one likes.
import { expect, test } from 'vitest';
import { FUZZERS } from './fuzz/fuzzers.ts';

const CASES: Record<string, number> = { dns: 2000, state: 2 };

test.each(Object.keys(FUZZERS))(
  '%s: no answer 500, no crash, no growth, nothing left',
  async name => {
    const { cases, findings } = await FUZZERS[name]!({ seed: 1, cases: CASES[name] ?? 60, patience: 15_000 });
    expect(findings).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  },
  60_000,
);
