import { expect, test } from 'vitest';
import { choosePool, uniqueLocalPool } from './pools.ts';
import {
  contains,
  containsSubnet,
  decodeSubnet,
  encodeSubnet,
  lastAddress,
  overlaps,
  toAddress,
} from './subnet.ts';

const subnet = (text: string) => decodeSubnet(text)!;

test.each(['172.17.0.0/16', '10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32', 'fd00:1::/64', '::/0'])(
  '%s comes back as it was',
  text => {
    expect(encodeSubnet(subnet(text))).toBe(text);
  },
);

test('host bits are dropped', () => {
  expect(encodeSubnet(subnet('10.1.2.3/8'))).toBe('10.0.0.0/8');
  expect(encodeSubnet(subnet('fd00::1:2:3/64'))).toBe('fd00::/64');
});

test.each([
  '',
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0/8',
  'fd00::/129',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'fe80::1%lo/64',
])('"%s" is no subnet', text => {
  expect(decodeSubnet(text)).toBeUndefined();
});

test('the last address of a subnet is its broadcast address', () => {
  expect(toAddress(lastAddress(subnet('172.17.0.0/16')), 4)).toBe('172.17.255.255');
  expect(toAddress(lastAddress(subnet('10.0.0.8/30')), 4)).toBe('10.0.0.11');
});

test('a subnet contains its own addresses and no others', () => {
  expect(contains(subnet('172.17.0.0/16'), '172.17.255.255')).toBe(true);
  expect(contains(subnet('172.17.0.0/16'), '172.18.0.0')).toBe(false);
  expect(contains(subnet('0.0.0.0/0'), '::1')).toBe(false);
  expect(containsSubnet(subnet('10.0.0.0/8'), subnet('10.9.0.0/24'))).toBe(true);
  expect(containsSubnet(subnet('10.9.0.0/24'), subnet('10.0.0.0/8'))).toBe(false);
});

test('subnets overlap when one lies in the other', () => {
  expect(overlaps(subnet('10.0.0.0/8'), subnet('10.200.0.0/16'))).toBe(true);
  expect(overlaps(subnet('10.200.0.0/16'), subnet('10.0.0.0/8'))).toBe(true);
  expect(overlaps(subnet('172.17.0.0/16'), subnet('172.18.0.0/16'))).toBe(false);
  expect(overlaps(subnet('0.0.0.0/0'), subnet('::/0'))).toBe(false);
});

test('a new network gets the first pool that nothing else touches', () => {
  expect(encodeSubnet(choosePool([]))).toBe('172.17.0.0/16');
  expect(encodeSubnet(choosePool([subnet('172.17.0.0/16'), subnet('172.18.4.0/24')]))).toBe('172.19.0.0/16');
  expect(encodeSubnet(choosePool([subnet('172.16.0.0/12')]))).toBe('192.168.0.0/20');
});

test('when all pools are taken the error says what to do', () => {
  expect(() => choosePool([subnet('172.16.0.0/12'), subnet('192.168.0.0/16')])).toThrow(/--subnet/);
});

test('networks get IPv6 subnets of their own', () => {
  expect(encodeSubnet(uniqueLocalPool('0123456789abcdef'))).toBe('fd01:2345:6789::/64');
});
