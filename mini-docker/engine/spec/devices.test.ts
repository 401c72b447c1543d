import { expect, test } from 'vitest';
import { decodeDeviceRule, grantedDevices } from './devices.ts';

const grant = (path: string, inContainer = '', access = '') =>
  grantedDevices({ PathOnHost: path, PathInContainer: inContainer, CgroupPermissions: access });

test('a device node becomes a device and a rule', () => {
  expect(grant('/dev/null', '/dev/black-hole', 'rw')).toMatchObject([
    {
      device: { type: 'c', path: '/dev/black-hole', major: 1, minor: 3 },
      rule: { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
    },
  ]);
  expect(grant('/dev/zero')[0]).toMatchObject({ device: { path: '/dev/zero' }, rule: { access: 'rwm' } });
});

test('what is no device is refused', () => {
  expect(() => grant('/dev/nope')).toThrow('custom device "/dev/nope": no such file or directory');
  expect(() => grant('/etc/passwd')).toThrow('not a device node');
  expect(() => grant('/etc')).toThrow('not a device node');
  expect(() => grant('/dev/null', '/dev/null', 'x')).toThrow('invalid device permissions');
  expect(() => grant('/dev/null', 'relative')).toThrow('must be absolute');
});

test('a device rule is read, and a wrong one refused', () => {
  expect(decodeDeviceRule('c 13:* rwm')).toEqual({ allow: true, type: 'c', major: 13, access: 'rwm' });
  for (const text of ['c 13:*', 'x 1:2 r', 'c 1:2 q', '', 'c 1:2 rwm\n']) {
    expect(() => decodeDeviceRule(text)).toThrow('invalid device cgroup rule format');
  }
});
