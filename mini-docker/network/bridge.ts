// A network's bridge: a switch inside the kernel, whose own port is the gateway that containers send to.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ExpectedError } from '../formats/errors.ts';
import { addAddress } from '../linux/netlink/addresses.ts';
import { createLink, decodeLink, deleteLink, getLink, type Link, setLink } from '../linux/netlink/links.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { mtuOf, type NetworkRecord } from './record.ts';
import { decodeSubnet, lastAddress, toAddress } from './subnet.ts';

/** Its link, where that is ours: nobody else has a bridge with the same name and MAC address. */
export function findBridge(host: NetlinkSocket, record: NetworkRecord): Link | undefined {
  const link = host.get(getLink(record.bridge), decodeLink, { mayFail: ['ENODEV'] });
  return link?.kind === 'bridge' && link.mac === record.mac ? link : undefined;
}

/**
 * Makes the bridge where it is missing, with its addresses, up. 1 ms.
 * @returns its index
 * @throws ExpectedError conflict: the name belongs to somebody else's link
 */
export function ensureBridge(host: NetlinkSocket, record: NetworkRecord): number {
  const { bridge: name } = record;
  const found = findBridge(host, record);
  if (!found) makeBridge(host, record);
  try {
    const index = found?.index ?? host.get(getLink(name), decodeLink)!.index;
    const addresses = addressesOf(record).map(address => addAddress({ ...address, link: index }));
    host.batch(addresses, { mayFail: ['EEXIST'] });
    host.request(setLink(index, { up: true }));
    forwardPackets(record);
    return index;
  } catch (error) {
    if (!found) host.request(deleteLink(name), { mayFail: ['ENODEV'] });
    throw error;
  }
}

function makeBridge(host: NetlinkSocket, record: NetworkRecord): void {
  const { bridge: name, mac } = record;
  const mtu = mtuOf(record);
  try {
    host.request(createLink({ name, kind: 'bridge', mac, ...(mtu !== undefined && { mtu }) }));
  } catch (cause) {
    if (!(cause instanceof NetlinkError && cause.code === 'EEXIST')) throw cause;
    const message = `link ${name} exists and is not ours: network ${record.resource.Name} cannot use it as its bridge`;
    throw new ExpectedError('conflict', message, { cause });
  }
}

/** Links go slowly, 15 to 60 ms each: the kernel waits until nobody looks at them. */
export function removeLinks(host: NetlinkSocket, names: readonly string[]): Promise<void> {
  return host.batchAsync(names.map(deleteLink), { mayFail: ['ENODEV'] });
}

function addressesOf(record: NetworkRecord): { address: string; prefixLength: number; broadcast?: string }[] {
  return record.resource.IPAM.Config.map(config => {
    const subnet = decodeSubnet(config.Subnet!)!;
    return {
      address: config.Gateway!,
      prefixLength: subnet.prefixLength,
      ...(subnet.family === 4 && { broadcast: toAddress(lastAddress(subnet), 4) }),
    };
  });
}

/** Settings of this network namespace, which /proc/sys/net shows to the thread that reads it: no pool threads here. */
function forwardPackets(record: NetworkRecord): void {
  if (record.resource.Internal) return;
  setSysctl('ipv4/ip_forward', '1');
  // Lets the host's own 127.0.0.1:PORT be sent on to a container (rules.ts keeps containers from sending there).
  setSysctl(`ipv4/conf/${record.bridge}/route_localnet`, '1');
  if (record.resource.EnableIPv6) setSysctl('ipv6/conf/all/forwarding', '1');
}

function setSysctl(name: string, value: string): void {
  const path = `/proc/sys/net/${name}`;
  if (existsSync(path) && readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value);
}
