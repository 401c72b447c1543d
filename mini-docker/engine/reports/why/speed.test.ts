import { expect, test } from 'vitest';
import type { Stats } from '../../../runtime/container.ts';
import { findings } from './facts.ts';
import { SPEED } from './speed.ts';

const stats: Stats = {
  cpu: {
    total: 0,
    user: 0,
    system: 0,
    throttling: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
    onlineCpus: 2,
  },
  memory: { usage: 1, limit: 100, stats: {} },
  pids: { current: 1 },
  blkio: { serviceBytes: [], serviced: [] },
};
const spec = { linux: {} } as Parameters<(typeof SPEED)[0]>[0]['spec'];
const found = (now: Partial<Stats>) =>
  findings(SPEED, {
    name: 'web',
    memoryLimit: 100,
    spec,
    before: stats,
    now: { ...stats, ...now },
    elapsed: 250,
  });

test('pressure is told where the kernel counts it by group', () => {
  const [first] = found({ pressure: { memory: 37.5, cpu: 90 } });
  expect(first).toMatchObject({
    code: 'memory-pressure',
    sentence: 'web waits for memory: in 37.5 % of the last ten seconds one of its processes did.',
  });
});

test('file cache that is not in use does not count as needed', () => {
  const full = (cache: number) =>
    found({ memory: { usage: 99, limit: 100, stats: { inactive_file: cache } } });
  expect(full(50)).toEqual([]);
  expect(full(2)).toMatchObject([{ code: 'memory-full' }]);
});

test('a container that was throttled once, long ago, is not slow', () => {
  const throttling = { periods: 1000, throttledPeriods: 0, throttledTime: 0 };
  expect(found({ cpu: { ...stats.cpu, throttling } })).toEqual([]);
});
