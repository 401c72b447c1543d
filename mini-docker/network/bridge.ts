// A network's bridge: a switch inside the kernel, whose own port is the gateway that containers send to.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { addAddress } from '../linux/netlink/addresses.ts';
import { createLink, decodeLink, deleteLink, getLink, setLink } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { NetworkError } from './errors.ts';
import { mtuOf, type NetworkRecord } from './record.ts';
import { decodeSubnet, lastAddress, toAddress } from './subnet.ts';

/**
 * Makes the bridge where it is missing, with its addresses, up. 1 ms.
 * @returns its index
 */
export function ensureBridge(host: NetlinkSocket, record: NetworkRecord): number {
  const { bridge: name, mac } = record;
  const mtu = mtuOf(record);
  const found = host.get(getLink(name), decodeLink, { mayFail: ['ENODEV'] });
  if (found && found.kind !== 'bridge')
    throw new NetworkError(
      'conflict',
      `link ${name} exists and is no bridge: network ${record.resource.Name} cannot use it`,
    );
  if (!found) host.request(createLink({ name, kind: 'bridge', mac, ...(mtu !== undefined && { mtu }) }));
  try {
    const { index } = found ?? host.get(getLink(name), decodeLink)!;
    host.batch(
      addressesOf(record).map(address => addAddress({ ...address, link: index })),
      { mayFail: ['EEXIST'] },
    );
    host.request(setLink(index, { up: true }));
    forwardPackets(record);
    return index;
  } catch (error) {
    if (!found) host.request(deleteLink(name), { mayFail: ['ENODEV'] });
    throw error;
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
