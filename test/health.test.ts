// Health checks, from the command line on: what ps and inspect show, and the events.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';

const run = promisify(execFile);
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.stop());

async function md(...args: string[]): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: daemon.host };
  const { stdout } = await run(NODE, [MAIN, ...args], { env });
  return stdout.trim();
}

const health = (name: string) =>
  md('inspect', '--format', '{{ .State.Health.Status }} {{ .State.Health.FailingStreak }}', name);

test('a container is starting, then healthy, then unhealthy when its check fails often enough', async () => {
  const flags = ['--health-cmd', 'test -f /tmp/well', '--health-interval', '200ms', '--health-retries', '2'];
  await md(
    'run',
    '-d',
    '--net',
    'none',
    '--name',
    'patient',
    ...flags,
    '--health-start-period',
    '30s',
    '--health-start-interval',
    '200ms',
    'busybox',
    'sleep',
    '1000',
  );
  expect(await md('ps', '--format', '{{ .Status }}')).toContain('(health: starting)');
  await md('exec', 'patient', 'touch', '/tmp/well');
  await expect.poll(() => health('patient'), { timeout: 10_000 }).toBe('healthy 0');
  expect(await md('ps', '--filter', 'health=healthy', '--format', '{{ .Names }} {{ .Status }}')).toMatch(
    /^patient Up .* \(healthy\)$/,
  );
  await md('exec', 'patient', 'rm', '/tmp/well');
  await expect.poll(() => health('patient'), { timeout: 10_000 }).toMatch(/^unhealthy [2-9]/);
  const events = await md(
    'events',
    '--since',
    '5m',
    '--until',
    '0s',
    '--filter',
    'container=patient',
    '--format',
    '{{ .Action }}',
  );
  expect(events.split('\n').filter(action => action.startsWith('health_status'))).toEqual([
    'health_status: healthy',
    'health_status: unhealthy',
  ]);
  await md('rm', '-f', 'patient');
});

test('a check that takes too long is ended and counts as failed', async () => {
  const flags = [
    '--health-cmd',
    'sleep 100',
    '--health-interval',
    '100ms',
    '--health-timeout',
    '200ms',
    '--health-retries',
    '1',
  ];
  await md('run', '-d', '--net', 'none', '--name', 'slow', ...flags, 'busybox', 'sleep', '1000');
  await expect.poll(() => health('slow'), { timeout: 10_000 }).toMatch(/^unhealthy/);
  expect(await md('inspect', '--format', '{{ (index .State.Health.Log 0).ExitCode }}', 'slow')).toBe('-1');
  await expect.poll(() => md('top', 'slow'), { timeout: 5000 }).toMatch(/sleep 1000/);
  await md('rm', '-f', 'slow');
});

test('a container without a check has no health', async () => {
  await md('run', '-d', '--net', 'none', '--name', 'plain', 'busybox', 'sleep', '1000');
  expect(await md('inspect', '--format', '{{ json .State }}', 'plain')).not.toContain('Health');
  await md('rm', '-f', 'plain');
});
