import { expect, test } from 'vitest';
import type { NetworkRecord } from '../record.ts';
import { decodeSharedNetwork } from './decode-network.ts';

const ID = 'ab'.repeat(32);

/** What a host puts into the store, with changes. */
function stored(change: (record: NetworkRecord) => object = record => record): string {
  const record: NetworkRecord = {
    version: 1,
    resource: {
      Name: 'front',
      Id: ID,
      Created: '2026-01-01T00:00:00.000Z',
      Scope: 'global',
      Driver: 'overlay',
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '10.0.0.0/24', Gateway: '10.0.0.1' }] },
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Options: {},
      Labels: {},
    },
    bridge: `mini-${ID.slice(0, 10)}`,
    mac: '02:42:00:00:00:01',
    vni: 4711,
  };
  change(record);
  return JSON.stringify(record);
}

test('a network of another host is taken as it is', () => {
  expect(JSON.stringify(decodeSharedNetwork(stored(), ID))).toBe(stored());
});

const name = 'x" } ; flush ruleset #';
test.each<[string, (record: NetworkRecord) => object]>([
  ['a name that would be a rule of nft(8)', ({ resource }) => Object.assign(resource, { Name: name })],
  ['a bridge of somebody else', record => Object.assign(record, { bridge: 'eth0' })],
  ['a bridge with a path in its name', record => Object.assign(record, { bridge: '../../etc' })],
  ['another driver', ({ resource }) => Object.assign(resource, { Driver: 'bridge' })],
  ['no number', record => Object.assign(record, { vni: undefined })],
  ['a number of more than 24 bits', record => Object.assign(record, { vni: 2 ** 24 })],
  ['no subnet', ({ resource }) => Object.assign(resource.IPAM, { Config: [] })],
  [
    'a gateway that is a rule',
    ({ resource }) => Object.assign(resource.IPAM.Config[0]!, { Gateway: '10.0.0.1 accept' }),
  ],
  ['a MAC address that is none', record => Object.assign(record, { mac: 'x' })],
])('%s is refused', (_, change) => {
  expect(() => decodeSharedNetwork(stored(change), ID)).toThrow();
});
