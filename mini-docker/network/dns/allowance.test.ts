import { expect, test } from 'vitest';
import { type Allowance, createAllowances } from './allowance.ts';

test('a container gets a limited number of answers in a tenth of a second, shared by all that ask at once', () => {
  let now = 1000;
  const allowances = createAllowances(() => now);
  const [first, second, third] = [allowances(), allowances(), allowances()];
  const answered = (allowance: Allowance) =>
    Array.from({ length: 1000 }, () => allowance.take()).filter(Boolean).length;
  expect([answered(first), answered(first)]).toEqual([600, 0]);
  now = 1100;
  expect([answered(first), answered(second)]).toEqual([600, 600]);
  now = 1200;
  expect([answered(first), answered(second), answered(third)]).toEqual([300, 300, 300]);
  const many = Array.from({ length: 100 }, allowances);
  now = 1300;
  for (const each of many) each.take();
  now = 1400;
  expect(answered(first), 'however many they are').toBe(20);
});
