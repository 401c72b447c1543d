import { expect, test } from 'vitest';
import { decodeExtraHost, decodeHostsFile, encodeHostsFile } from './hosts-file.ts';

test("a container's file names localhost first, then what it was given", () => {
  const text = encodeHostsFile([{ address: '172.17.0.2', names: ['web.example', 'web'] }]);
  expect(text).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
  expect(text).toMatch(/\n172\.17\.0\.2\tweb\.example web\n$/);
  expect(decodeHostsFile(text).at(-1)).toEqual({ address: '172.17.0.2', names: ['web.example', 'web'] });
});

test('comments and lines without names are passed over', () => {
  expect(decodeHostsFile('# x\n10.0.0.1\n10.0.0.2 db # the database\n\n')).toEqual([
    { address: '10.0.0.2', names: ['db'] },
  ]);
});

test('--add-host takes IPv4, IPv6 with and without brackets, and host-gateway', () => {
  expect(decodeExtraHost('db:10.0.0.1')).toEqual({ name: 'db', address: '10.0.0.1' });
  expect(decodeExtraHost('db:[fd00::1]')).toEqual({ name: 'db', address: 'fd00::1' });
  expect(decodeExtraHost('db=fd00::1')).toEqual({ name: 'db', address: 'fd00::1' });
  expect(decodeExtraHost('gateway:host-gateway')).toEqual({ name: 'gateway', address: 'host-gateway' });
  expect(decodeExtraHost('db')).toBeUndefined();
});
