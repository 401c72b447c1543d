import { expect, test } from 'vitest';
import { humanDuration } from './human-duration.ts';

test('durations read as docker ps says them', () => {
  const hour = 3_600_000;
  const said: [number, string][] = [
    [-5, 'Less than a second'],
    [999, 'Less than a second'],
    [1000, '1 second'],
    [59_999, '59 seconds'],
    [60_000, 'About a minute'],
    [120_000, '2 minutes'],
    [hour, 'About an hour'],
    [1.6 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [48 * hour, '2 days'],
    [24 * 14 * hour, '2 weeks'],
    [24 * 61 * hour, '2 months'],
    [24 * 365 * 3 * hour, '3 years'],
  ];
  for (const [milliseconds, text] of said) expect(humanDuration(milliseconds)).toBe(text);
});
