import { expect, test } from 'vitest';
import type { RestartPolicy } from '../../formats/engine-api/containers.ts';
import { nextDelay, shouldRestart, shouldStartWithDaemon } from './restart-policy.ts';

const ended = (policy: RestartPolicy, exitCode: number, more = {}) => ({
  policy,
  exitCode,
  manuallyStopped: false,
  restartCount: 0,
  ...more,
});

test('each policy restarts as docker does', () => {
  const stopped = { manuallyStopped: true };
  expect(shouldRestart(ended({ Name: 'no' }, 1))).toBe(false);
  expect(shouldRestart(ended({ Name: '' }, 1))).toBe(false);
  expect(shouldRestart(ended({ Name: 'always' }, 0))).toBe(true);
  expect(shouldRestart(ended({ Name: 'always' }, 0, stopped))).toBe(false);
  expect(shouldRestart(ended({ Name: 'unless-stopped' }, 1))).toBe(true);
  expect(shouldRestart(ended({ Name: 'on-failure' }, 0))).toBe(false);
  expect(shouldRestart(ended({ Name: 'on-failure' }, 1, { restartCount: 99 }))).toBe(true);
  expect(shouldRestart(ended({ Name: 'on-failure', MaximumRetryCount: 2 }, 1, { restartCount: 1 }))).toBe(
    true,
  );
  expect(shouldRestart(ended({ Name: 'on-failure', MaximumRetryCount: 2 }, 1, { restartCount: 2 }))).toBe(
    false,
  );
});

test('with the daemon come those that always run, and those that the user did not stop', () => {
  const stopped = { manuallyStopped: true };
  expect(shouldStartWithDaemon(ended({ Name: 'always' }, 0, stopped))).toBe(true);
  expect(shouldStartWithDaemon(ended({ Name: 'unless-stopped' }, 0, stopped))).toBe(false);
  expect(shouldStartWithDaemon(ended({ Name: 'unless-stopped' }, 0))).toBe(true);
  expect(shouldStartWithDaemon(ended({ Name: 'no' }, 1))).toBe(false);
});

test('delays double from 100 ms to a minute, and begin anew after ten seconds of running', () => {
  const delays = [0];
  for (let round = 0; round < 12; round++) delays.push(nextDelay(delays.at(-1)!, 50));
  expect(delays.slice(1, 6)).toEqual([100, 200, 400, 800, 1600]);
  expect(delays.at(-1)).toBe(60_000);
  expect(nextDelay(60_000, 10_000)).toBe(100);
});
