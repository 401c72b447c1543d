import { expect, test } from 'vitest';
import { progressBar } from './progress-bar.ts';

test('a bar fills as the bytes come', () => {
  expect(progressBar({ current: 1_200_000, total: 4_800_000 })).toBe(
    `[${'='.repeat(12)}>${' '.repeat(38)}]    1.2MB/4.8MB`,
  );
  expect(progressBar({ current: 10, total: 10 })).toBe(`[${'='.repeat(50)}>]      10B/10B`);
});

test('without a total there are only figures, and without anything nothing', () => {
  expect(progressBar({ current: 2048 })).toBe(' 2.048kB');
  expect(progressBar({})).toBe('');
  expect(progressBar({ current: 1, total: 2 }, 80)).toBe('      1B/2B');
});
