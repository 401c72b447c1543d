import { expect, test } from 'vitest';
import type { NetworkMap } from '../../formats/network-map.ts';
import { drawNetworkMap } from './network-map.ts';

const bridge = { up: true, mac: '02:42:00:00:00:01', mtu: 1500, internal: false };
const cable = (link: string, container: string, address: string) => ({
  link,
  up: true,
  end: {
    container,
    containerId: '0',
    interface: 'eth0',
    up: true,
    mac: '02:42:aa',
    addresses: [`${address}/16`],
  },
});

test('the map shows bridges, cables, containers, addresses and published ports', () => {
  const map: NetworkMap = {
    bridges: [
      {
        ...bridge,
        network: 'bridge',
        link: 'mini-docker0',
        addresses: ['172.17.0.1/16'],
        cables: [cable('veth-b', 'database', '172.17.0.10'), cable('veth-a', 'web', '172.17.0.2')],
      },
      {
        ...bridge,
        network: 'quiet',
        link: 'mini-1',
        addresses: ['10.9.0.1/24'],
        mtu: 1400,
        internal: true,
        cables: [],
      },
      {
        ...bridge,
        network: 'broken',
        link: 'mini-2',
        addresses: [],
        up: false,
        cables: [
          { link: 'veth-c', up: false },
          {
            link: 'veth-d',
            up: true,
            kind: 'veth',
            foreign: { link: 'eth0', process: { pid: 7, name: 'qemu' } },
          },
          { link: 'tap0', up: true, kind: 'tun' },
        ],
      },
    ],
    parents: [
      {
        network: 'lan',
        link: 'eth0',
        up: true,
        mode: 'private',
        ends: [cable('', 'box', '192.0.2.9').end, cable('', 'other', '192.0.2.10').end],
      },
    ],
    idle: ['later'],
    published: [
      {
        protocol: 'tcp',
        hostIp: '::',
        hostPort: 8080,
        container: 'web',
        containerIp: '172.17.0.2',
        containerPort: 80,
      },
    ],
    publishedBy: 'nat',
  };
  expect(drawNetworkMap(map)).toBe(`host
│
├─┬─ bridge · bridge mini-docker0 · 172.17.0.1/16
│ ├─ veth-a ═══ eth0 of web      · 172.17.0.2/16 · 02:42:aa
│ │               [::]:8080 ─▶ 80/tcp
│ └─ veth-b ═══ eth0 of database · 172.17.0.10/16 · 02:42:aa
│
├─── quiet · bridge mini-1 · 10.9.0.1/24 · mtu 1400 · internal
│
├─┬─ broken · bridge mini-2 · DOWN
│ ├─ veth-c ═╳═ a cable to no container of ours
│ ├─ veth-d ═══ eth0 of process 7 (qemu)
│ └─ tap0   ═══ a tun link that is not ours
│
└─┬─ lan · macvlan on eth0 · private
  ├─ eth0 of box · 192.0.2.9/16 · 02:42:aa
  └─ eth0 of other · 192.0.2.10/16 · 02:42:aa

Without a bridge, since no container is on them: later
The rules behind the ports: nft list table inet mini-docker ('iptables -t nat -L' does not show them).
`);
});

test('without any bridge it says when there will be one', () => {
  expect(
    drawNetworkMap({ bridges: [], parents: [], idle: ['bridge'], published: [], publishedBy: 'nat' }),
  ).toBe('host\n\nNo network has a bridge now: the first container on it makes one.\n');
});
