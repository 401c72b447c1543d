// One network on two hosts: on each a bridge, and a tunnel that knows which box is where. bridge(8), ip-link(8): vxlan
import { closeSync, mkdirSync, writeFileSync } from 'node:fs';
import {
  addAddress,
  addForwarding,
  addNeighbour,
  createLink,
  decodeForwarding,
  decodeLink,
  decodeNeighbour,
  deleteForwarding,
  deleteNeighbour,
  getLink,
  inNetworkNamespace,
  LOOPBACK_INDEX,
  listForwarding,
  listNeighbours,
  openNetlink,
  openNetworkNamespace,
  setLink,
  setSendOffload,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import type { Connection } from '../10-network/network.ts';
import type { Host } from './hosts.ts';
import type { Place } from './table.ts';

const BRIDGE = 'box1';
const TUNNEL = 'box-tunnel';
const VNI = 20;
const PORT = 4789;
/** Bytes: Ethernet carries 1500, and each packet has 50 more on its way through the tunnel. */
export const MTU = 1500 - 50;

/** 10.99.0.2 → 02:42:0a:63:00:02. So the table needs no column for MAC addresses. */
export function macOf(address: string): string {
  const bytes = address.split('.').map(byte => Number(byte).toString(16).padStart(2, '0'));
  return `02:42:${bytes.join(':')}`;
}

/** Makes this host's end of the network, if it has none. Neither the bridge nor its ports get an address. */
export function makeOverlay({ address }: Host): void {
  using machine = openNetlink();
  const found = machine.get(getLink(TUNNEL), decodeLink, { mayFail: ['ENODEV'] });
  if (found !== undefined) return;
  machine.request(createLink({ name: BRIDGE, kind: 'bridge', up: true }));
  const master = machine.get(getLink(BRIDGE), decodeLink)!.index;
  const vxlan = { id: VNI, local: address, port: PORT, learning: false, proxy: true };
  machine.request(createLink({ name: TUNNEL, kind: 'vxlan', mtu: MTU, vxlan }));
  machine.request(setLink(TUNNEL, { master, up: true }));
}

/** Lays a cable from the bridge to a box. @param pid of a process that waits meanwhile @throws Mistake */
export function connectToOverlay(
  pid: number,
  { address, mtu }: { address: string; mtu: number },
): Connection {
  using machine = openNetlink();
  const bridge = machine.get(getLink(BRIDGE), decodeLink, { mayFail: ['ENODEV'] });
  if (bridge === undefined) throw new Mistake('this host has no overlay network yet: overlay makes it');
  claim(address);
  const link = `box-99-${address.split('.').at(-1)}`;
  const peer = { name: 'eth0', namespace: { pid }, mac: macOf(address), mtu };
  machine.request(createLink({ name: link, kind: 'veth', master: bridge.index, mtu, peer }));
  machine.request(setLink(link, { up: true }));
  const namespace = openNetworkNamespace({ pid });
  inNetworkNamespace(namespace, () => {
    using box = openNetlink();
    const { index } = box.get(getLink('eth0'), decodeLink)!;
    box.request(setLink(LOOPBACK_INDEX, { up: true }));
    box.request(addAddress({ link: index, address, prefixLength: 24 }));
    box.request(setLink(index, { up: true }));
    // The kernel carries 64 KB at once from one namespace to the other, and computes no checksums. A packet that leaves
    // a real machine is finished, and has the size that it was cut to: here too, or the cable would hide a wrong MTU.
    setSendOffload('eth0', false);
  });
  closeSync(namespace);
  return { address, link, published: [] };
}

/** As in chapter 10: the file must be new, and disconnect() removes it. @throws Mistake */
function claim(address: string): void {
  if (!/^10\.99\.0\.\d+$/.test(address))
    throw new Mistake(`--ip wants 10.99.0.2 to 10.99.0.254, not ${address}`);
  mkdirSync('/tmp/box/addresses', { recursive: true });
  try {
    writeFileSync(`/tmp/box/addresses/${address}`, '', { flag: 'wx' });
  } catch {
    throw new Mistake(`${address} is taken`);
  }
}

/** Tells the kernel which box is on which other host, and takes back what is no longer so. */
export function programTunnel(own: Host, places: readonly Place[]): void {
  using machine = openNetlink();
  const link = machine.get(getLink(TUNNEL), decodeLink)!.index;
  const others = places.filter(({ host }) => host !== own.address);
  for (const { address, host, port } of others) {
    const mac = macOf(address);
    machine.request(addNeighbour({ link, address, mac }));
    machine.request(addForwarding({ link, mac, host, ...(port !== undefined && { port }) }));
  }
  const wanted = new Set(others.map(({ address }) => macOf(address)));
  for (const entry of machine.dump(listForwarding(), decodeForwarding)) {
    if (entry.link === link && entry.host !== '' && !wanted.has(entry.mac))
      machine.request(deleteForwarding(entry));
  }
  for (const neighbour of machine.dump(listNeighbours(), decodeNeighbour)) {
    if (neighbour.link === link && !wanted.has(neighbour.mac)) machine.request(deleteNeighbour(neighbour));
  }
}
