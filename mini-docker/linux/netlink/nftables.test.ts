// Rules written by us and read back by nft(8).
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnNetwork } from '../../../test/support/own-network.ts';
import { NETLINK } from './constants.ts';
import { addNatOutputChain, addRedirection, addTable, deleteTable, transaction } from './nftables.ts';
import { openNetlink } from './socket.ts';

beforeAll(enterOwnNetwork);

const redirection = { protocol: 17, address: Buffer.from([127, 0, 0, 11]), port: 53, toPort: 4053 };
const whole = () => [
  addTable('names'),
  addNatOutputChain('names', 'output'),
  addRedirection('names', 'output', redirection),
  addRedirection('names', 'output', { ...redirection, protocol: 6, toPort: 4054 }),
];

test('a redirection is what nft would have made of its text', () => {
  using socket = openNetlink(NETLINK.NETFILTER);
  socket.batch(transaction(whole()));
  expect(() => socket.batch(transaction(whole()))).toThrow('add table names: EEXIST');
  socket.batch(transaction([deleteTable('names'), ...whole()]));
  const listed = execFileSync('nft', ['list', 'table', 'ip', 'names'], { encoding: 'utf8' });
  expect(
    listed
      .split('\n')
      .map(line => line.trim())
      .filter(Boolean),
  ).toEqual([
    'table ip names {',
    'chain output {',
    'type nat hook output priority -100; policy accept;',
    'ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:4053',
    'ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:4054',
    '}',
    '}',
  ]);
  socket.batch(transaction([deleteTable('names')]));
});

test('a transaction that fails changes nothing, and the failing part is named', () => {
  using socket = openNetlink(NETLINK.NETFILTER);
  expect(() =>
    socket.batch(transaction([addTable('names'), addRedirection('names', 'nowhere', redirection)])),
  ).toThrow('add a rule to chain nowhere of table names: ENOENT');
  expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).toBe('');
});
