import { expect, test } from 'vitest';
import { daemonOptions } from './daemon-options.ts';

test('flags come before the environment, and that before the defaults', () => {
  expect(daemonOptions([], {})).toEqual({
    dataRoot: '/var/lib/mini-docker',
    runDir: '/run/mini-docker',
    hosts: ['unix:///run/mini-docker/mini-docker.sock'],
  });
  const env = { MINI_DOCKER_DATA_ROOT: '/d', MINI_DOCKER_RUN_DIR: '/r' };
  expect(daemonOptions([], env)).toEqual({
    dataRoot: '/d',
    runDir: '/r',
    hosts: ['unix:///r/mini-docker.sock'],
  });
  expect(daemonOptions(['--data-root', '/x', '-H', 'unix:///a', '--host=tcp://127.0.0.1:1'], env)).toEqual({
    dataRoot: '/x',
    runDir: '/r',
    hosts: ['unix:///a', 'tcp://127.0.0.1:1'],
  });
});

test('a wrong command line is one clear line', () => {
  expect(() => daemonOptions(['--nope'], {})).toThrow("Unknown option '--nope'");
  expect(() => daemonOptions(['surplus'], {})).toThrow(/surplus/);
  expect(() => daemonOptions(['--data-root', 'relative'], {})).toThrow(
    '--data-root must be an absolute path',
  );
});
