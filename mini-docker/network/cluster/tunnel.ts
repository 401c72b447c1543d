// A network's tunnel to the other hosts: a VXLAN link as a port of its bridge. Only what the cluster knows is sent:
// each address of another host is a neighbour, which the link answers for, and a forwarding entry. Nothing is flooded.
import { conflict } from '../../formats/errors.ts';
import { AF } from '../../linux/constants.ts';
import { decodeAddress, listAddresses } from '../../linux/netlink/addresses.ts';
import { createLink, decodeLink, findLink, listLinks, setLink } from '../../linux/netlink/links.ts';
import {
  addForwarding,
  addNeighbour,
  decodeForwarding,
  decodeNeighbour,
  deleteForwarding,
  deleteNeighbour,
  listForwarding,
  listNeighbours,
} from '../../linux/netlink/neighbours.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { withoutLinkLocal } from '../cable.ts';
import { mtuOf, type NetworkRecord } from '../record.ts';
import { contains, decodeSubnet } from '../subnet.ts';
import { setSysctl } from '../sysctl.ts';
import { addressesOf, type SharedEndpoint } from './entries.ts';

/** UDP port of docker's overlay networks. */
const PORT = 4789;

export const tunnelOf = ({ vni }: NetworkRecord): string => `vxlan${vni}`;

/** Bytes of the headers that a frame gets in the tunnel: Ethernet, IPv4 or IPv6, UDP, VXLAN. */
const HEADERS = { 4: 50, 6: 70 } as const;
const ETHERNET = 1500;

/** No more than Ethernet's, since other hosts may have smaller ones. @param local this host's address for the others */
export function tunnelMtu(host: NetlinkSocket, local: string): number {
  const owner = host.dump(listAddresses(), decodeAddress).find(each => each.address === local);
  const mtu = host.dump(listLinks(), decodeLink).find(each => each.index === owner?.link)?.mtu ?? ETHERNET;
  return Math.min(mtu, ETHERNET) - HEADERS[local.includes(':') ? 6 : 4];
}

/**
 * Makes the tunnel if it is missing. @param bridge index
 * @throws conflict when another program's link has its name
 */
export function ensureTunnel(
  host: NetlinkSocket,
  options: { record: NetworkRecord; bridge: number; local: string },
): void {
  const { record, bridge, local } = options;
  const name = tunnelOf(record);
  const found = findLink(host, name);
  // By its alias our link is told from one of another program with the same name.
  const alias = `mini-docker network ${record.resource.Id}`;
  if (found?.master === bridge) return;
  if (found?.alias === alias) {
    // Its bridge was removed by hand, and made again.
    host.request(setLink(name, { master: bridge, up: true }));
    return;
  }
  if (found !== undefined)
    throw conflict(
      `link ${name} exists and is not ours: network ${record.resource.Name} cannot use it as its tunnel`,
    );
  const vxlan = { id: record.vni!, local, port: PORT, learning: false, proxy: true };
  host.request(createLink({ name, kind: 'vxlan', master: bridge, vxlan, mtu: mtuOf(record) }));
  // It has no address of its own, but answers for neighbours in IPv6 only where IPv6 is on.
  const hasIpv6 = record.resource.EnableIPv6;
  setSysctl(`ipv6/conf/${name}/${hasIpv6 ? 'accept_ra' : 'disable_ipv6'}`, hasIpv6 ? '0' : '1');
  host.request(setLink(name, { alias }));
  withoutLinkLocal(host, name);
  host.request(setLink(name, { up: true }));
}

/** Makes the tunnel's entries equal to the containers of other hosts. Without a tunnel it does nothing. */
export function fillTunnel(
  host: NetlinkSocket,
  record: NetworkRecord,
  others: readonly SharedEndpoint[],
): void {
  const index = findLink(host, tunnelOf(record))?.index;
  if (index === undefined) return;
  const places = new Map(others.map(({ mac, at }) => [`${mac} ${at}`, { link: index, mac, host: at }]));
  const neighbours = new Map(
    others.flatMap(each =>
      addressesOf(each).map(address => [`${address} ${each.mac}`, { link: index, address, mac: each.mac }]),
    ),
  );
  for (const each of host.dump(listForwarding(), decodeForwarding)) {
    if (each.link !== index || each.host === '' || places.delete(`${each.mac} ${each.host}`)) continue;
    host.request(deleteForwarding(each), { mayFail: ['ENOENT'] });
  }
  const known = [AF.INET, AF.INET6].flatMap(family => host.dump(listNeighbours(family), decodeNeighbour));
  const subnets = record.resource.IPAM.Config.map(config => decodeSubnet(config.Subnet!)!);
  for (const each of known) {
    // The kernel adds multicast addresses itself.
    if (!subnets.some(subnet => contains(subnet, each.address))) continue;
    if (each.link !== index || neighbours.delete(`${each.address} ${each.mac}`)) continue;
    host.request(deleteNeighbour(each), { mayFail: ['ENOENT'] });
  }
  for (const each of places.values()) host.request(addForwarding(each));
  for (const each of neighbours.values()) host.request(addNeighbour(each));
}
