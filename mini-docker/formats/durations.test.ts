import { expect, test } from 'vitest';
import { decodeDuration, decodePointInTime, describeDuration, encodeDuration } from './durations.ts';
import { FormatError } from './errors.ts';

test.each([
  ['0', 0],
  ['1h30m', 5400e9],
  ['1.5s', 1.5e9],
  ['250ms', 250e6],
  ['-2m', -120e9],
  ['3us4ns', 3004],
  ['.5s', 0.5e9],
])('%s is %d nanoseconds', (text, nanoseconds) => {
  expect(decodeDuration(text)).toBe(nanoseconds);
});

test.each([
  ['', 'time: invalid duration ""'],
  ['x', 'time: invalid duration "x"'],
  ['5', 'time: missing unit in duration "5"'],
  ['5q', 'time: unknown unit "q" in duration "5q"'],
  ['1h2', 'time: missing unit in duration "1h2"'],
])('%j is no duration', (text, message) => {
  expect(() => decodeDuration(text)).toThrow(new FormatError(message));
});

test('what is printed can be read back', () => {
  for (const text of ['0s', '1h30m0s', '1.5s', '250ms', '15ns', '2m0s', '1µs']) {
    expect(encodeDuration(decodeDuration(text))).toBe(text);
  }
});

test.each([
  [0.4, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [61, 'About a minute'],
  [3599, '59 minutes'],
  [3600, 'About an hour'],
  [5400, '2 hours'],
  [47 * 3600, '47 hours'],
  [48 * 3600, '2 days'],
  [14 * 86400, '2 weeks'],
  [60 * 86400, '2 months'],
  [730 * 86400, '2 years'],
])('%d seconds are "%s"', (seconds, words) => {
  expect(describeDuration(seconds)).toBe(words);
});

test('--since takes times, seconds, and durations before now', () => {
  const now = new Date('2026-01-02T03:04:05.250Z');
  expect(decodePointInTime('1700000000.5', now)).toBe('1700000000.5');
  expect(decodePointInTime('2026-01-01T00:00:00Z', now)).toBe('1767225600.000000000');
  expect(decodePointInTime('2026-01-01T01:00:00.000000001+01:00', now)).toBe('1767225600.000000001');
  expect(decodePointInTime('10s', now)).toBe(`${Date.UTC(2026, 0, 2, 3, 3, 55) / 1000}.250000000`);
  expect(decodePointInTime('2026-01-01', now)).toBe(`${new Date(2026, 0, 1).getTime() / 1000}.000000000`);
  expect(() => decodePointInTime('yesterday', now)).toThrow(
    'failed to parse value as time or duration: "yesterday"',
  );
});
