import { expect, test } from 'vitest';
import { daemonDirectories } from './daemon-directories.ts';

test("root's directories are the machine's, and a user's are in the home and the session's run directory", () => {
  const home = '/home/ann';
  expect(daemonDirectories({ uid: 0, env: { XDG_RUNTIME_DIR: '/run/user/0' }, home: '/root' })).toEqual({
    dataRoot: '/var/lib/mini-docker',
    runDir: '/run/mini-docker',
  });
  expect(daemonDirectories({ uid: 1000, env: { XDG_RUNTIME_DIR: '/run/user/1000' }, home })).toEqual({
    dataRoot: '/home/ann/.local/share/mini-docker',
    runDir: '/run/user/1000/mini-docker',
  });
  expect(daemonDirectories({ uid: 1000, env: { XDG_DATA_HOME: '/big/ann' }, home })).toEqual({
    dataRoot: '/big/ann/mini-docker',
    runDir: '/big/ann/mini-docker/run',
  });
});

test('the environment names others, for every user', () => {
  const env = { MINI_DOCKER_DATA_ROOT: '/d', MINI_DOCKER_RUN_DIR: '/r' };
  for (const uid of [0, 1000])
    expect(daemonDirectories({ uid, env, home: '/' })).toEqual({ dataRoot: '/d', runDir: '/r' });
});
