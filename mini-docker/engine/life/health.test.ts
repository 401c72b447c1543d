import { expect, test } from 'vitest';
import { milliseconds } from './health.ts';

test('times that an image may ask for make a timer that waits', () => {
  expect(milliseconds(30e9)).toBe(30_000);
  expect(milliseconds(1)).toBe(1);
  for (const huge of [1e300, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, 2 ** 31 * 1e6])
    expect(milliseconds(huge)).toBe(2_147_483_647);
});
