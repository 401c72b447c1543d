// A network for boxes: a bridge on the machine, a cable to each box, and address translation. veth(4), nft(8)
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  addAddress,
  addRoute,
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  inNetworkNamespace,
  LOOPBACK_INDEX,
  type NetlinkSocket,
  openNetlink,
  openNetworkNamespace,
  setLink,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';

/** A bridge, and the first three numbers of its addresses. This chapter has one such network, chapter 19 has more. */
export interface Network {
  bridge: string;
  prefix: string;
}

/** Chapter 20 gives each of its hosts another prefix. */
export const BOX: Network = { bridge: 'box0', prefix: '10.88.0' };
const LEASES = '/tmp/box/addresses';

/** A port of the machine, and the port of the box that it leads to. */
export interface Published {
  port: number;
  boxPort: number;
}

export interface Connection {
  address: string;
  /** The cable's end on the machine. */
  link: string;
  published: readonly Published[];
}

/** '8080:80', as after docker run's -p. */
export function parsePublished(text: string): Published {
  const [port = 0, boxPort = 0] = text.split(':').map(Number);
  if (!(port > 0 && boxPort > 0)) throw new Mistake(`a published port is PORT:PORT, not ${text}`);
  return { port, boxPort };
}

/** Lays a cable from the bridge to a process's network namespace. @param pid of a process that waits meanwhile */
export function connect(pid: number, published: readonly Published[], network = BOX): Connection {
  const address = lease(network);
  using machine = openNetlink();
  const bridge = bridgeOf(machine, network);
  const name = `${network.bridge}-${address.split('.').at(-1)}`;
  // One request makes both ends, one here and one in the box.
  const peer = { name: 'eth0', namespace: { pid } };
  machine.request(createLink({ name, kind: 'veth', master: bridge, peer }));
  machine.request(setLink(name, { up: true }));
  const namespace = openNetworkNamespace({ pid });
  inNetworkNamespace(namespace, () => setUpInside(address, network));
  closeSync(namespace);
  translate(network);
  for (const { port, boxPort } of published) {
    execFileSync('nft', [
      'add',
      'element',
      'ip',
      'box',
      'published',
      `{ ${port} : ${address} . ${boxPort} }`,
    ]);
  }
  return { address, link: name, published };
}

function setUpInside(address: string, { prefix }: Network): void {
  using box = openNetlink();
  const { index } = box.get(getLink('eth0'), decodeLink)!;
  box.request(setLink(LOOPBACK_INDEX, { up: true }));
  box.request(addAddress({ link: index, address, prefixLength: 24 }));
  box.request(setLink(index, { up: true }));
  box.request(addRoute({ destination: 'default', gateway: `${prefix}.1` }));
}

/** Frees the address at once: the kernel would remove the cable with the box's namespace, but in its own time. */
export function disconnect({ address, link, published }: Connection): void {
  using machine = openNetlink();
  machine.request(deleteLink(link), { mayFail: ['ENODEV'] });
  for (const { port } of published) {
    execFileSync('nft', ['delete', 'element', 'ip', 'box', 'published', `{ ${port} }`]);
  }
  rmSync(`${LEASES}/${address}`);
}

/** @returns the bridge's link index. Makes the bridge if there is none. */
export function bridgeOf(machine: NetlinkSocket, { bridge, prefix }: Network): number {
  const found = machine.get(getLink(bridge), decodeLink, { mayFail: ['ENODEV'] });
  if (found !== undefined) return found.index;
  machine.request(createLink({ name: bridge, kind: 'bridge' }));
  const { index } = machine.get(getLink(bridge), decodeLink)!;
  machine.request(addAddress({ link: index, address: `${prefix}.1`, prefixLength: 24 }));
  machine.request(setLink(index, { up: true }));
  return index;
}

/** The first free address. Its file must be new, so two boxes that start at once do not get the same one. */
function lease({ prefix }: Network): string {
  mkdirSync(LEASES, { recursive: true });
  for (let last = 2; last < 255; last++) {
    const address = `${prefix}.${last}`;
    try {
      writeFileSync(`${LEASES}/${address}`, '', { flag: 'wx' });
      return address;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Mistake('all addresses of the network are taken');
}

/** Packets to a published port get the box's address as destination; outgoing packets get the machine's as sender. */
const rules = (): string => `
table ip box {
  map published { type inet_service : ipv4_addr . inet_service; }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    fib daddr type local dnat to tcp dport map @published
  }
  chain output {
    type nat hook output priority -100;
    fib daddr type local dnat to tcp dport map @published
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr ${BOX.prefix}.0/24 oifname != "${BOX.bridge}" masquerade
    ip saddr 127.0.0.0/8 oifname "${BOX.bridge}" masquerade
  }
}`;

function translate({ bridge }: Network): void {
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  // Without it the kernel drops packets from 127.0.0.1 that leave by a link other than lo.
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
  if (spawnSync('nft', ['list', 'table', 'ip', 'box']).status !== 0) {
    execFileSync('nft', ['-f', '-'], { input: rules() });
  }
}
