// Tunnels, neighbours and forwarding entries, made by us and looked at by iproute2.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enterOwnNetwork, ip } from '../../../test/support/own-network.ts';
import { createLink, decodeLink, deleteLink, getLink } from './links.ts';
import {
  addForwarding,
  addNeighbour,
  decodeForwarding,
  decodeNeighbour,
  deleteForwarding,
  deleteNeighbour,
  listForwarding,
  listNeighbours,
} from './neighbours.ts';
import { type NetlinkSocket, openNetlink } from './socket.ts';

let host: NetlinkSocket;
let link: number;
const MAC = '02:42:0a:63:00:02';

beforeAll(() => {
  enterOwnNetwork();
  host = openNetlink();
});
afterAll(() => host?.close());

beforeEach(() => {
  host.request(deleteLink('tunnel'), { mayFail: ['ENODEV'] });
  const vxlan = { id: 4711, local: '192.168.20.1', port: 4790, learning: false, proxy: true };
  host.request(createLink({ name: 'tunnel', kind: 'vxlan', up: true, mtu: 1450, vxlan }));
  link = host.get(getLink('tunnel'), decodeLink)!.index;
});

const bridge = (words: string): unknown[] =>
  JSON.parse(execFileSync('bridge', ['-j', ...words.split(' ')], { encoding: 'utf8' }));

test('a vxlan link is made with all that it needs at once', () => {
  expect(ip('link show dev tunnel')).toMatchObject([
    {
      mtu: 1450,
      linkinfo: {
        info_kind: 'vxlan',
        info_data: { id: 4711, local: '192.168.20.1', port: 4790, learning: false, proxy: true },
      },
    },
  ]);
});

test('a neighbour is added, changed, listed and deleted', () => {
  host.request(addNeighbour({ link, address: '10.99.0.2', mac: '02:42:0a:63:00:09' }));
  host.request(addNeighbour({ link, address: '10.99.0.2', mac: MAC }));
  expect(ip('neigh show dev tunnel')).toMatchObject([
    { dst: '10.99.0.2', lladdr: MAC, state: ['PERMANENT'] },
  ]);
  const ours = (): unknown[] =>
    host.dump(listNeighbours(), decodeNeighbour).filter(each => each.link === link);
  expect(ours()).toEqual([{ link, address: '10.99.0.2', mac: MAC }]);
  host.request(deleteNeighbour({ link, address: '10.99.0.2' }));
  expect(ours()).toEqual([]);
});

test('a forwarding entry is added, moved to another host, listed and deleted', () => {
  host.request(addForwarding({ link, mac: MAC, host: '192.168.20.2' }));
  host.request(addForwarding({ link, mac: MAC, host: '192.168.20.3', port: 4791 }));
  expect(bridge('fdb show dev tunnel')).toMatchObject([{ mac: MAC, dst: '192.168.20.3', port: 4791 }]);
  const ours = (): unknown[] =>
    host.dump(listForwarding(), decodeForwarding).filter(each => each.link === link);
  expect(ours()).toEqual([{ link, mac: MAC, host: '192.168.20.3', port: 4791 }]);
  host.request(deleteForwarding({ link, mac: MAC, host: '192.168.20.3', port: 4791 }));
  expect(bridge('fdb show dev tunnel')).toEqual([]);
});

test('a refused entry says what it was', () => {
  expect(() => host.request(deleteForwarding({ link, mac: MAC, host: '192.168.20.2' }))).toThrow(
    `delete that ${MAC} is on 192.168.20.2: ENOENT`,
  );
});
