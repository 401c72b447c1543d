import { expect, test } from 'vitest';
import { configHome, daemonDirectories } from './daemon-directories.ts';

const home = '/home/ann';
const of = (uid: number, env: Record<string, string>, sessions: string[] = []) =>
  daemonDirectories({ uid, env, home, exists: path => sessions.includes(path) });

test("root's directories are the machine's, and a user's are in the home and the session's run directory", () => {
  expect(of(0, { XDG_RUNTIME_DIR: '/run/user/0' })).toEqual({
    dataRoot: '/var/lib/mini-docker',
    runDir: '/run/mini-docker',
  });
  const ofSession = { dataRoot: '/home/ann/.local/share/mini-docker', runDir: '/run/user/1000/mini-docker' };
  expect(of(1000, { XDG_RUNTIME_DIR: '/run/user/1000' })).toEqual(ofSession);
  expect(of(1000, {}, ['/run/user/1000'])).toEqual(ofSession);
  expect(of(1000, { XDG_DATA_HOME: '/big/ann' })).toEqual({
    dataRoot: '/big/ann/mini-docker',
    runDir: '/big/ann/mini-docker/run',
  });
});

test('relative paths in variables of XDG are ignored', () => {
  expect(of(1000, { XDG_RUNTIME_DIR: 'run', XDG_DATA_HOME: 'data' })).toEqual(of(1000, {}));
  expect(configHome({ XDG_CONFIG_HOME: 'config' }, home)).toBe('/home/ann/.config');
  expect(configHome({ XDG_CONFIG_HOME: '/config' }, home)).toBe('/config');
});

test('the environment names others, for every user', () => {
  const env = { MINI_DOCKER_DATA_ROOT: '/d', MINI_DOCKER_RUN_DIR: '/r' };
  for (const uid of [0, 1000]) expect(of(uid, env)).toEqual({ dataRoot: '/d', runDir: '/r' });
});
