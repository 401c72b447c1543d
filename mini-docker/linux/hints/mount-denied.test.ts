import { expect, test } from 'vitest';
import { hintBelow } from '../../../test/support/provoke.ts';

const mount = (type: string, target = '/mnt') => `call(mountCall('x', '${target}', '${type}', 0, null))`;

test('mounting takes CAP_SYS_ADMIN', () => {
  expect(hintBelow(['setpriv', '--bounding-set', '-sys_admin'], mount('tmpfs'))).toMatch(
    /EPERM: it takes CAP_SYS_ADMIN/,
  );
});

test('a user namespace has no say in a mount namespace that it does not own', () => {
  expect(hintBelow(['unshare', '-Ur'], mount('tmpfs'))).toMatch(
    /EPERM: the mount namespace belongs to another user namespace.*CLONE_NEWNS/,
  );
});

test('proc, sysfs and mqueue want a namespace of their kind in a user namespace', () => {
  const below = (type: string) => hintBelow(['unshare', '-Urm'], mount(type));
  expect(below('proc')).toMatch(/EPERM: .*only for a pid namespace of its own: add CLONE_NEWPID/);
  expect(below('sysfs')).toMatch(/EPERM: .*only for a net namespace of its own: add CLONE_NEWNET/);
  expect(below('mqueue')).toMatch(/EPERM: .*only for a ipc namespace of its own: add CLONE_NEWIPC/);
});

test('a user namespace gets no fresh /proc where parts of the old one are covered', () => {
  const covered = 'mount -t tmpfs x /proc/sys/kernel && exec unshare -Urmpf "$@"';
  expect(hintBelow(['unshare', '-m', 'sh', '-c', covered, 'sh'], mount('proc'))).toMatch(
    /EPERM: .*parts of it are covered \(.*\/proc\/sys\/kernel.*\), as in a container/,
  );
  expect(hintBelow(['unshare', '-Urmpf'], mount('proc'))).toBe('the call did not fail');
});

test('a disk filesystem cannot be mounted in a user namespace', () => {
  expect(hintBelow(['unshare', '-Urm'], mount('ext4'))).toMatch(
    /EPERM: ext4 cannot be mounted in a user namespace/,
  );
});

test('nosuid that came from outside cannot be removed inside', () => {
  const outside = 'mount -t tmpfs -o nosuid,nodev x /mnt && exec unshare -Urm "$@"';
  const remount = "call(mountCall(null, '/mnt', null, MS.BIND | MS.REMOUNT | MS.RDONLY, null))";
  expect(hintBelow(['unshare', '-m', 'sh', '-c', outside, 'sh'], remount)).toMatch(
    /EPERM: .*more privileged mount namespace with nosuid, nodev, which cannot be removed here/,
  );
});
