import { expect, test } from 'vitest';
import { decodeTimestamp, encodeTimestamp, nowNanoseconds } from './timestamp.ts';

test('a time keeps its nanoseconds through text and back', () => {
  const time = 1_767_323_045_123_456_789n;
  expect(encodeTimestamp(time)).toBe('2026-01-02T03:04:05.123456789Z');
  expect(decodeTimestamp('2026-01-02T03:04:05.123456789Z')).toBe(time);
});

test('everything docker clients send as --since is read', () => {
  expect(decodeTimestamp('1700000000')).toBe(1_700_000_000_000_000_000n);
  expect(decodeTimestamp('1700000000.000000001')).toBe(1_700_000_000_000_000_001n);
  expect(decodeTimestamp('2026-01-02')).toBe(1_767_312_000_000_000_000n);
  expect(decodeTimestamp('2026-01-02T03:04')).toBe(1_767_323_040_000_000_000n);
  expect(decodeTimestamp('2026-01-02T03:04:05+01:00')).toBe(1_767_319_445_000_000_000n);
  expect(decodeTimestamp('0001-01-01T00:00:00Z')).toBeLessThan(0n);
});

test('what is no time is not taken for one', () => {
  for (const text of ['', 'yesterday', '10m', '2026-13-45', '1e9'])
    expect(decodeTimestamp(text)).toBeUndefined();
});

test('the clock of the engine agrees with the wall clock', () => {
  expect(Math.abs(Number(nowNanoseconds() / 1_000_000n) - Date.now())).toBeLessThan(10);
});
