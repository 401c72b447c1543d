import { expect, test } from 'vitest';
import { decodeIp, decodeMac, encodeIp, encodeMac } from './ip-address.ts';

test('IPv4 addresses are four bytes in the order they are written', () => {
  expect([...encodeIp('172.17.0.2')]).toEqual([172, 17, 0, 2]);
  expect(decodeIp(encodeIp('255.255.255.255'))).toBe('255.255.255.255');
});

test.each([
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['fe80::', 'fe800000000000000000000000000000'],
  ['fd00:1:2::3', 'fd000001000200000000000000000003'],
  ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
  ['2001:db8::1:0:0:1', '20010db8000000000001000000000001'],
])('%s is the same in bytes and back', (address, hex) => {
  expect(encodeIp(address).toString('hex')).toBe(hex);
  expect(decodeIp(Buffer.from(hex, 'hex'))).toBe(address);
});

test('a dotted end counts as two groups', () => {
  expect(decodeIp(encodeIp('::ffff:10.0.0.1'))).toBe('::ffff:a00:1');
});

test.each(['', '10.0.0', '10.0.0.256', 'web', 'fe80::1%eth0', '1:2:3:4:5:6:7:8:9'])(
  '"%s" is no address',
  address => {
    expect(() => encodeIp(address)).toThrow(TypeError);
  },
);

test('MAC addresses come back, and nothing else passes for one', () => {
  expect(decodeMac(encodeMac('02:42:AC:11:00:02'))).toBe('02:42:ac:11:00:02');
  expect(decodeMac(encodeMac('02-42-ac-11-00-02'))).toBe('02:42:ac:11:00:02');
  for (const wrong of ['02:42:ac:11:00', '02:42:ac:11:00:zz', '0242ac110002'])
    expect(() => encodeMac(wrong)).toThrow(TypeError);
});
