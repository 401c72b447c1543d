import { expect, test } from 'vitest';
import { cgroupPath, decodeCgroup, readCgroup } from './cgroup.ts';

test('v1 hierarchies, named ones, and v2 stand side by side', () => {
  const memberships = decodeCgroup(
    '12:cpu,cpuacct:/a:b/c\n3:name=systemd:/init.scope\n2:pids:/gone (deleted)\n0::/user.slice\n',
  );
  expect(memberships[0]).toEqual({
    hierarchy: 12,
    controllers: ['cpu', 'cpuacct'],
    path: '/a:b/c',
    deleted: false,
  });
  expect(memberships[2]).toMatchObject({ path: '/gone', deleted: true });
  expect(cgroupPath(memberships, 'cpuacct')).toBe('/a:b/c');
  expect(cgroupPath(memberships, 'name=systemd')).toBe('/init.scope');
  expect(cgroupPath(memberships)).toBe('/user.slice');
  expect(cgroupPath(memberships, 'memory')).toBeUndefined();
});

test('this process is in a cgroup, and one that is not there is in none', () => {
  const memberships = readCgroup()!;
  expect(memberships.length).toBeGreaterThan(0);
  for (const { path } of memberships) expect(path).toMatch(/^\//);
  expect(readCgroup(4_194_304)).toBeUndefined();
});
