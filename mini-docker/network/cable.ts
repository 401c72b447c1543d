// The cable between a container and a bridge: a veth pair. One end is a port of the bridge, the other eth0 in
// the container.
import { setTimeout } from 'node:timers/promises';
import { addAddress } from '../linux/netlink/addresses.ts';
import {
  createLink,
  findLink,
  removeLink,
  requireLink,
  setBridgePort,
  setLink,
} from '../linux/netlink/links.ts';
import { addRoute } from '../linux/netlink/routes.ts';
import { type NetlinkSocket, openNetlink, type Request } from '../linux/netlink/socket.ts';
import { inNetworkNamespace } from '../linux/network-namespace.ts';
import { decodeSubnet, lastAddress, toAddress } from './subnet.ts';
import { setSysctl } from './sysctl.ts';

/** The container's end of a connection. */
export interface InsideOptions {
  namespace: number;
  /** Name of the link: 'eth0'. */
  interface: string;
  /** Addresses in CIDR notation: '172.17.0.2/16'. */
  addresses: readonly string[];
  /** Gateways of the default routes: at most one IPv4 and one IPv6 address. */
  gateways: readonly string[];
}

export interface CableOptions extends InsideOptions {
  /** A socket in the host's network namespace. */
  host: NetlinkSocket;
  /** Index of the bridge. */
  bridge: number;
  /** Name of the host's end. */
  link: string;
  mac: string;
  mtu: number | undefined;
  /** Whether other ports of the bridge are unreachable (the network's option enable_icc=false). */
  isolated: boolean;
}

/**
 * Plugs the container in. Requests are combined into as few messages as possible: 1 ms
 * in all, half of it the kernel's work on the pair. On failure nothing is left.
 * @throws NetlinkError when the kernel refuses
 */
export function plugIn(options: CableOptions): void {
  const { host, namespace, bridge, link, mac, mtu } = options;
  const peer = { name: options.interface, namespace: { fd: namespace }, mac, mtu };
  host.request(createLink({ name: link, kind: 'veth', master: bridge, mtu, peer }));
  try {
    // A bridge's port needs no address, and must not learn routes.
    setSysctl(`ipv6/conf/${link}/disable_ipv6`, '1');
    host.request(setLink(link, { up: true }));
    bringUpInside(options);
    if (options.isolated) host.request(setBridgePort(requireLink(host, link).index, { isolated: true }));
  } catch (error) {
    removeLink(host, link);
    throw error;
  }
}

/** Brings the container's end up, with addresses and routes. @throws NetlinkError when the kernel refuses */
export function bringUpInside({ namespace, interface: name, addresses, gateways }: InsideOptions): void {
  using inside = inNetworkNamespace(namespace, () => {
    // Only mini-docker sets its routes, and no neighbour's advertisement.
    setSysctl(`ipv6/conf/${name}/accept_ra`, '0');
    return openNetlink();
  });
  const { index } = requireLink(inside, name);
  if (!addresses.some(address => address.includes(':'))) withoutLinkLocal(inside, index);
  inside.batch([...bringUp(index, addresses), ...defaultRoutes(gateways)]);
}

/**
 * Keeps the kernel from giving the link an fe80:: address when it comes up. A message of its own: the kernel brings a link
 * up before it reads the rest (do_setlink() in net/core/rtnetlink.c). A host whose IPv6 is off, and a link whose MTU is less
 * than IPv6's 1280, have no such setting, and need none.
 */
export function withoutLinkLocal(socket: NetlinkSocket, link: number | string): void {
  socket.request(setLink(link, { linkLocal: false }), { mayFail: ['EAFNOSUPPORT'] });
}

function bringUp(index: number, addresses: readonly string[]): Request[] {
  return [
    setLink(index, { up: true }),
    ...addresses.map(text => {
      const subnet = decodeSubnet(text)!;
      const address = text.slice(0, text.indexOf('/'));
      const { family, prefixLength } = subnet;
      return addAddress({
        link: index,
        address,
        prefixLength,
        ...(family === 4 && { broadcast: toAddress(lastAddress(subnet), 4) }),
      });
    }),
  ];
}

function defaultRoutes(gateways: readonly string[]): Request[] {
  return gateways.map(gateway =>
    addRoute({ destination: gateway.includes(':') ? 'default6' : 'default', gateway }),
  );
}

/** Milliseconds after which another program must have taken the other end down. */
const SETTLE_MS = 500;

/**
 * Waits until the links carry packets. Earlier packets are lost, and most programs repeat them only after a
 * second. Immediate since Linux 6.8; before, it takes 1 to 50 ms.
 */
export async function settled(host: NetlinkSocket, links: readonly (number | string)[]): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  const works = (link: number | string): boolean => findLink(host, link)?.operational ?? true;
  for (const link of links) while (!works(link) && performance.now() < deadline) await setTimeout(1);
}

/**
 * For a container that lost the network of its default routes. @throws NetlinkError when the kernel refuses
 */
export function routeThrough(inside: NetlinkSocket, gateways: readonly string[]): void {
  inside.batch(defaultRoutes(gateways), { mayFail: ['EEXIST'] });
}

/** Lets a container reach its own published ports, where bridges pass packets to netfilter (br_netfilter). */
export function turnBack(host: NetlinkSocket, link: string): void {
  host.request(setBridgePort(requireLink(host, link).index, { hairpin: true }));
}
