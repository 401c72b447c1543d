// A network's tunnel to the other hosts: a VXLAN link as a port of its bridge. Only what the cluster knows is sent:
// each address of another host is a neighbour, which the link answers for, and a forwarding entry. Nothing is flooded.
import { createLink, decodeLink, getLink, setLink } from '../../linux/netlink/links.ts';
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
import { mtuOf, type NetworkRecord } from '../record.ts';
import { setSysctl } from '../sysctl.ts';
import type { SharedEndpoint } from './cluster.ts';

/** UDP port of docker's overlay networks. */
const PORT = 4789;

export const tunnelOf = ({ vni }: NetworkRecord): string => `vxlan${vni}`;

/** Makes the tunnel if it is missing. @param bridge index */
export function ensureTunnel(
  host: NetlinkSocket,
  options: { record: NetworkRecord; bridge: number; local: string },
): void {
  const { record, bridge, local } = options;
  const name = tunnelOf(record);
  if (host.get(getLink(name), decodeLink, { mayFail: ['ENODEV'] })) return;
  const vxlan = { id: record.vni!, local, port: PORT, learning: false, proxy: true };
  const mtu = mtuOf(record);
  host.request(createLink({ name, kind: 'vxlan', master: bridge, vxlan, ...(mtu !== undefined && { mtu }) }));
  setSysctl(`ipv6/conf/${name}/disable_ipv6`, '1');
  host.request(setLink(name, { up: true }));
}

/** Makes the tunnel's entries equal to the addresses of other hosts. Without a tunnel it does nothing. */
export function fillTunnel(
  host: NetlinkSocket,
  record: NetworkRecord,
  others: readonly SharedEndpoint[],
): void {
  const index = host.get(getLink(tunnelOf(record)), decodeLink, { mayFail: ['ENODEV'] })?.index;
  if (index === undefined) return;
  const wanted = new Set(others.flatMap(({ ipAddress, mac, at }) => [`${ipAddress} ${mac}`, `${mac} ${at}`]));
  const present = new Set<string>();
  for (const each of host.dump(listForwarding(), decodeForwarding)) {
    if (each.link !== index || each.host === '') continue;
    if (wanted.has(`${each.mac} ${each.host}`)) present.add(`${each.mac} ${each.host}`);
    else host.request(deleteForwarding(each), { mayFail: ['ENOENT'] });
  }
  for (const each of host.dump(listNeighbours(), decodeNeighbour)) {
    if (each.link !== index) continue;
    if (wanted.has(`${each.address} ${each.mac}`)) present.add(`${each.address} ${each.mac}`);
    else host.request(deleteNeighbour(each), { mayFail: ['ENOENT'] });
  }
  for (const { ipAddress, mac, at } of others) {
    if (!present.has(`${mac} ${at}`)) host.request(addForwarding({ link: index, mac, host: at }));
    if (!present.has(`${ipAddress} ${mac}`))
      host.request(addNeighbour({ link: index, address: ipAddress, mac }));
  }
}
