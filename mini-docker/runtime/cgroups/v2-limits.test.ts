import { expect, test } from 'vitest';
import { weightOfShares } from './v2-limits.ts';

test.each([
  [2, 1],
  [512, 59],
  [1024, 100],
  [2048, 174],
  [262_144, 10_000],
  // Outside of what the kernel takes.
  [1, 1],
  [1_000_000, 10_000],
])('cpu shares %i are the weight %i', (shares, weight) => {
  expect(weightOfShares(shares)).toBe(weight);
});
