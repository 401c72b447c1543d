import { expect, test } from 'vitest';
import { createAddressPool } from './address-pool.ts';

const pool = (options: { subnet?: string; range?: string; reserved?: string[] } = {}) =>
  createAddressPool({ network: 'web', subnet: '10.1.0.0/29', reserved: ['10.1.0.1'], ...options });

test("addresses are given out in order, but for the gateway, the network's own and the broadcast address", () => {
  const { take } = pool();
  expect([take(), take(), take(), take(), take()]).toEqual([
    '10.1.0.2',
    '10.1.0.3',
    '10.1.0.4',
    '10.1.0.5',
    '10.1.0.6',
  ]);
  expect(take).toThrow("no available IPv4 addresses on this network's address pools: web (10.1.0.0/29)");
});

test('the lowest address that came back is the next to be given out, as in Docker', () => {
  const { take, giveBack } = pool();
  expect([take(), take(), take()]).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4']);
  giveBack('10.1.0.3');
  giveBack('10.1.0.2');
  expect([take(), take(), take()]).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.5']);
});

test('an address below the range is not chosen after it came back', () => {
  const { take, giveBack } = pool({ subnet: '10.1.0.0/16', range: '10.1.5.0/30' });
  giveBack(take('10.1.0.9'));
  expect(take()).toBe('10.1.5.0');
});

test('a wanted address is given out once', () => {
  const { take, giveBack } = pool();
  expect(take('10.1.0.5')).toBe('10.1.0.5');
  expect(() => take('10.1.0.5')).toThrow('Address already in use: 10.1.0.5 on network web');
  giveBack('10.1.0.5');
  expect(take('10.1.0.5')).toBe('10.1.0.5');
});

test.each(['10.1.0.1', '10.1.0.0', '10.1.0.7'])('%s is never given out', address => {
  expect(() => pool().take(address)).toThrow(/Address already in use/);
});

test('an address of another subnet is refused', () => {
  expect(() => pool().take('10.2.0.5')).toThrow(/does not belong to the subnet of network web/);
  expect(() => pool().take('fd00::5')).toThrow(/does not belong/);
});

test('addresses are chosen from the range, and may be wanted outside of it', () => {
  const { take } = pool({ subnet: '10.1.0.0/16', range: '10.1.5.0/30' });
  expect([take(), take(), take(), take()]).toEqual(['10.1.5.0', '10.1.5.1', '10.1.5.2', '10.1.5.3']);
  expect(take).toThrow('web (10.1.5.0/30)');
  expect(take('10.1.9.9')).toBe('10.1.9.9');
});

test('an IPv6 subnet is not walked through', () => {
  const { take } = pool({ subnet: 'fd00:1::/64', reserved: ['fd00:1::1'] });
  expect([take(), take()]).toEqual(['fd00:1::2', 'fd00:1::3']);
});
