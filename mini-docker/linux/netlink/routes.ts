// Routes (rtnetlink(7), struct rtmsg).
import { AF } from '../constants.ts';
import { NLM_F, RT_SCOPE, RT_TABLE, RTA, RTM, RTN, RTPROT } from './constants.ts';
import { decodeIp, encodeIp, familyOf } from './ip-address.ts';
import { type Attribute, decodeAttributes, encodeAttributes, type Message, number } from './message.ts';
import type { Request } from './socket.ts';

export interface Route {
  /** Destination; 'default' means all IPv4 addresses, 'default6' all IPv6 addresses. */
  destination: 'default' | 'default6' | { address: string; prefixLength: number };
  gateway?: string;
  /** Index of the link. */
  link?: number;
  /** Priority: of several routes, the one with the lowest metric is used. */
  metric?: number;
}

export interface KernelRoute {
  /** AF_INET or AF_INET6 */
  family: number;
  /** Destination; '0.0.0.0' or '::' with prefix length 0 for a default route. */
  destination: { address: string; prefixLength: number };
  gateway: string | undefined;
  link: number | undefined;
  metric: number | undefined;
  table: number;
  /** RTN */
  type: number;
}

export function addRoute(route: Route): Request {
  return {
    doing: `add ${shown(route)}`,
    type: RTM.NEWROUTE,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: encodeRoute(route),
  };
}

/** Request for the routes of all tables, for NetlinkSocket.dump() with decodeRoute. */
export function listRoutes(): Request {
  return { doing: 'list routes', type: RTM.GETROUTE, body: Buffer.alloc(RTMSG_LENGTH) };
}

/**
 * Request for the route that a packet would take, for NetlinkSocket.get() with decodeRoute. The kernel refuses it with the
 * errno of what is wrong: ENETUNREACH, EHOSTUNREACH, EXDEV (its source is expected on another link), …
 * @param packet.link index of the link by which it comes in; undefined: it begins on this host
 */
export function routeOf(packet: { destination: string; source: string; link?: number | undefined }): Request {
  const { destination, source, link } = packet;
  const head = Buffer.alloc(RTMSG_LENGTH);
  const family = familyOf(destination);
  const bits = family === AF.INET ? 32 : 128;
  head.writeUInt8(family, 0);
  head.writeUInt8(bits, 1);
  head.writeUInt8(bits, 2);
  const attributes: Attribute[] = [
    [RTA.DST, encodeIp(destination)],
    [RTA.SRC, encodeIp(source)],
    [RTA.IIF, link],
  ];
  return {
    doing: `ask for the route to ${destination}`,
    type: RTM.GETROUTE,
    body: Buffer.concat([head, encodeAttributes(attributes)]),
  };
}

export function decodeRoute(message: Message): KernelRoute {
  const body = Buffer.from(message.body);
  const attributes = decodeAttributes(body.subarray(RTMSG_LENGTH));
  const numberOf = (type: number): number | undefined => {
    const value = attributes.get(type);
    return value && number(value);
  };
  const family = body.readUInt8(0);
  const gateway = attributes.get(RTA.GATEWAY);
  return {
    family,
    destination: {
      address: decodeIp(attributes.get(RTA.DST) ?? Buffer.alloc(family === AF.INET ? 4 : 16)),
      prefixLength: body.readUInt8(1),
    },
    gateway: gateway && decodeIp(gateway),
    link: numberOf(RTA.OIF),
    metric: numberOf(RTA.PRIORITY),
    table: numberOf(RTA.TABLE) ?? body.readUInt8(4),
    type: body.readUInt8(7),
  };
}

const RTMSG_LENGTH = 12;

/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags. */
function encodeRoute(route: Route): Buffer {
  const { destination, gateway, link, metric } = route;
  const head = Buffer.alloc(RTMSG_LENGTH);
  const network = typeof destination === 'object' ? destination : undefined;
  head.writeUInt8(network ? familyOf(network.address) : destination === 'default' ? AF.INET : AF.INET6, 0);
  head.writeUInt8(network?.prefixLength ?? 0, 1);
  head.writeUInt8(RT_TABLE.MAIN, 4);
  head.writeUInt8(RTPROT.BOOT, 5);
  head.writeUInt8(gateway === undefined ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE, 6);
  head.writeUInt8(RTN.UNICAST, 7);
  const attributes: Attribute[] = [
    [RTA.DST, network && encodeIp(network.address)],
    [RTA.GATEWAY, gateway === undefined ? undefined : encodeIp(gateway)],
    [RTA.OIF, link],
    [RTA.PRIORITY, metric],
  ];
  return Buffer.concat([head, encodeAttributes(attributes)]);
}

function shown({ destination, gateway, link }: Route): string {
  const to =
    typeof destination === 'string'
      ? destination.replace('6', '')
      : `${destination.address}/${destination.prefixLength}`;
  return `the route to ${to}${gateway ? ` by ${gateway}` : ''}${link === undefined ? '' : ` over link ${link}`}`;
}
