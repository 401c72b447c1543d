// Why a packet that every rule accepted is seen nowhere afterwards: the kernel is asked for its route.
import { findLink } from '../../linux/netlink/links.ts';
import { NetlinkError } from '../../linux/netlink/netlink-error.ts';
import { decodeRoute, routeOf } from '../../linux/netlink/routes.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { sysctl } from '../sysctl.ts';
import type { PacketFields } from './events.ts';

/** What speaks against a packet's route, as things are now; undefined: nothing. */
export function againstRoute(host: NetlinkSocket, packet: PacketFields): string | undefined {
  const { source, destination, in: name } = packet;
  if (source === '' || destination === '') return undefined;
  const found = name === undefined ? undefined : findLink(host, name);
  // A packet that comes in by a port of a bridge is routed as one of the bridge.
  const link = found?.master ?? found?.index;
  try {
    host.get(routeOf({ destination, source, link }), decodeRoute);
    return undefined;
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    const isV6 = destination.includes(':');
    const forwards = isV6 ? 'ipv6/conf/all/forwarding' : 'ipv4/ip_forward';
    if (link !== undefined && sysctl(forwards) === '0')
      return `this host forwards no packets (net.${forwards.replaceAll('/', '.')} is 0)`;
    return REASONS[error.code]?.(packet) ?? `the kernel refuses its route: ${error.code}`;
  }
}

const noRoute = ({ destination }: PacketFields): string => `this host has no route to ${destination}`;
const strange = ({ source, in: name }: PacketFields): string =>
  `the kernel does not expect its source ${source} on ${name ?? 'this host'} (rp_filter, or an address that nobody may have)`;

const REASONS: Record<string, (packet: PacketFields) => string> = {
  ENETUNREACH: noRoute,
  EHOSTUNREACH: noRoute,
  EACCES: ({ destination }) => `a route of this host prohibits ${destination}`,
  EXDEV: strange,
  EINVAL: strange,
};
