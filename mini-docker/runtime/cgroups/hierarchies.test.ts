import { expect, test } from 'vitest';
import { decodeHierarchies, delegatedGroups } from './hierarchies.ts';

const line = (mountPoint: string, type: string, options: string) =>
  `31 23 0:28 / ${mountPoint} rw,relatime shared:9 - ${type} ${type} ${options}\n`;
const root = '23 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n';

test('a pure v2 machine has version 2', () => {
  const mountinfo = root + line('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate');
  const ownCgroups = '0::/user.slice\n';
  expect(decodeHierarchies({ mountinfo, ownCgroups })).toEqual({ version: 2, mountPoint: '/sys/fs/cgroup' });
});

test('a hybrid machine has version 1, and its empty trees count only where a service manager keeps us in one', () => {
  const mountinfo =
    root +
    line('/sys/fs/cgroup/unified', 'cgroup2', 'rw') +
    line('/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,name=systemd') +
    line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct') +
    line('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory');
  const controllers = '4:memory:/a\n3:cpu,cpuacct:/\n';
  const v1 = [
    { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { mountPoint: '/sys/fs/cgroup/memory', controllers: ['memory'] },
  ];
  expect(decodeHierarchies({ mountinfo, ownCgroups: `${controllers}1:name=systemd:/\n0::/\n` })).toEqual({
    version: 1,
    hierarchies: v1,
  });
  const inService = `${controllers}1:name=systemd:/system.slice/x:y.service\n0::/system.slice/x:y.service\n`;
  expect(decodeHierarchies({ mountinfo, ownCgroups: inService })).toEqual({
    version: 1,
    hierarchies: [
      { mountPoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
      ...v1,
      { mountPoint: '/sys/fs/cgroup/unified', controllers: [''] },
    ],
  });
});

test('a hierarchy that is mounted twice counts once, and names with blanks are read', () => {
  const mountinfo =
    line('/mnt/my\\040cgroups', 'cgroup', 'rw,pids') + line('/sys/fs/cgroup/pids', 'cgroup', 'rw,pids');
  expect(decodeHierarchies({ mountinfo, ownCgroups: '8:pids:/\n' })).toEqual({
    version: 1,
    hierarchies: [{ mountPoint: '/mnt/my cgroups', controllers: ['pids'] }],
  });
});

test('without any, the error says what to mount', () => {
  expect(() => decodeHierarchies({ mountinfo: root, ownCgroups: '' })).toThrow(
    'no cgroup file system is mounted, and containers need one: mount -t cgroup2 none /sys/fs/cgroup',
  );
});

test("an ordinary user's containers are beside the services of the user's systemd, else below the daemon's group", () => {
  const users = '/user.slice/user-1000.slice/user@1000.service';
  const service = `${users}/app.slice/mini-docker.service`;
  expect(delegatedGroups(service)).toEqual([users, service]);
  expect(delegatedGroups('/lxc/box/init')).toEqual(['/lxc/box']);
  expect(delegatedGroups('/user.slice/user-1000.slice/session-3.scope')).toEqual([
    '/user.slice/user-1000.slice/session-3.scope',
  ]);
});
