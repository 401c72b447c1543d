// A network's bridge: a switch in the kernel, whose own port is the gateway of the containers.

import { conflict } from '../formats/errors.ts';
import { addAddress } from '../linux/netlink/addresses.ts';
import {
  createLink,
  deleteLink,
  findLink,
  type Link,
  removeLink,
  requireLink,
  setLink,
} from '../linux/netlink/links.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { mtuOf, type NetworkRecord } from './record.ts';
import { decodeSubnet, lastAddress, toAddress } from './subnet.ts';
import { distrust } from './sysctl.ts';

/** Finds its link if it is ours, which has both this name and this MAC address, or the administrator's. */
export function findBridge(host: NetlinkSocket, record: NetworkRecord): Link | undefined {
  const link = findLink(host, record.bridge);
  return link?.kind === 'bridge' && (record.isForeign || link.mac === record.mac) ? link : undefined;
}

/**
 * Makes the bridge if it is missing, with its addresses, and brings it up. 1 ms.
 * @returns its index
 * @throws conflict when another program's link has the name
 */
export function ensureBridge(host: NetlinkSocket, record: NetworkRecord): number {
  const { bridge: name } = record;
  const found = findBridge(host, record);
  if (!found) makeBridge(host, record);
  try {
    const index = found?.index ?? requireLink(host, name).index;
    const addresses = addressesOf(record).map(address => addAddress({ ...address, link: index }));
    if (!record.isForeign) distrust(name, { hasIpv6: record.resource.EnableIPv6 });
    host.batch(addresses, { mayFail: ['EEXIST'] });
    host.request(setLink(index, { up: true }));
    return index;
  } catch (error) {
    if (!found) removeLink(host, name);
    throw error;
  }
}

function makeBridge(host: NetlinkSocket, record: NetworkRecord): void {
  const { bridge: name, mac } = record;
  try {
    host.request(createLink({ name, kind: 'bridge', mac, mtu: mtuOf(record) }));
  } catch (cause) {
    if (!(cause instanceof NetlinkError && cause.code === 'EEXIST')) throw cause;
    const message = `link ${name} exists and is not ours: network ${record.resource.Name} cannot use it as its bridge`;
    throw conflict(message, { cause });
  }
}

/** Removes its link, if it is ours. */
export function removeBridge(host: NetlinkSocket, record: NetworkRecord): void {
  if (!record.isForeign && findBridge(host, record)) removeLink(host, record.bridge);
}

/** Removing a link takes 15 to 60 ms: the kernel waits until nothing uses it. */
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
