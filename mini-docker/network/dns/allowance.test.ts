import { expect, test } from 'vitest';
import { createAllowance } from './allowance.ts';

test('so many questions are answered in a tenth of a second, and as many in the next', () => {
  let now = 1000;
  const allowance = createAllowance(() => now);
  const answered = () => Array.from({ length: 1000 }, () => allowance.take()).filter(Boolean).length;
  expect([answered(), answered()]).toEqual([300, 0]);
  now = 1100;
  expect(answered()).toBe(300);
});
