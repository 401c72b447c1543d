import { expect, test } from 'vitest';
import { hasLabels, matchesLabels, untilTime } from './filters.ts';

const LABELS = { a: '1', b: 'x=y', c: '' };

test.each([
  [['a'], true],
  [['a=1', 'b=x=y'], true],
  [['a=2'], false],
  [['a', 'd'], false],
  [['c='], true],
  [['constructor'], false],
])('the labels %j are there: %j', (wanted, there) => {
  expect(hasLabels(LABELS, wanted)).toBe(there);
});

test('label wants all, label! none', () => {
  expect(matchesLabels(LABELS, { label: ['a', 'b'] })).toBe(true);
  expect(matchesLabels(LABELS, { 'label!': ['z', 'a=2'] })).toBe(true);
  expect(matchesLabels(LABELS, { label: ['a'], 'label!': ['z', 'b'] })).toBe(false);
});

test('until is a time or a duration before now', () => {
  expect(untilTime('2026-01-01T00:00:00Z')).toBe(1_767_225_600_000_000_000n);
  expect(untilTime('1700000000.5')).toBe(1_700_000_000_500_000_000n);
  const ago = Date.now() - Number(untilTime('1h30m') / 1_000_000n);
  expect(Math.round(ago / 60_000)).toBe(90);
  expect(() => untilTime('yesterday')).toThrow('failed to parse value as time or duration: "yesterday"');
});
