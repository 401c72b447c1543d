// The cable between a container and a bridge: a veth pair, one end a port of the bridge, the other eth0 inside.
import { setTimeout } from 'node:timers/promises';
import { addAddress } from '../linux/netlink/addresses.ts';
import {
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  LOOPBACK_INDEX,
  setBridgePort,
  setLink,
} from '../linux/netlink/links.ts';
import { addRoute } from '../linux/netlink/routes.ts';
import { type NetlinkSocket, openNetlink, type Request } from '../linux/netlink/socket.ts';
import { inNetworkNamespace } from '../linux/network-namespace.ts';
import { decodeSubnet, lastAddress, toAddress } from './subnet.ts';
import { setSysctl } from './sysctl.ts';

export interface CableOptions {
  /** A socket in the host's namespace, and a descriptor of the container's. */
  host: NetlinkSocket;
  namespace: number;
  /** Index of the bridge. */
  bridge: number;
  /** The host's end. */
  link: string;
  /** The container's end: 'eth0'. */
  interface: string;
  mac: string;
  mtu: number | undefined;
  /** In CIDR notation: '172.17.0.2/16'. */
  addresses: readonly string[];
  /** Of the default routes: at most one IPv4, one IPv6 address. */
  gateways: readonly string[];
  /** Other ports of the bridge cannot be reached (the network's option enable_icc=false). */
  isolated: boolean;
}

/**
 * Plugs the container in, and brings its lo up. Everything that can be said in one message is said in one: 1 ms in all,
 * half of it the kernel's work on the pair. On failure nothing is left.
 * @throws NetlinkError
 */
export function plugIn(options: CableOptions): void {
  const { host, namespace, bridge, link, mac, mtu } = options;
  const size = mtu === undefined ? {} : { mtu };
  const peer = { name: options.interface, namespace: { fd: namespace }, mac, ...size };
  host.request(createLink({ name: link, kind: 'veth', master: bridge, ...size, peer }));
  try {
    // A port of a bridge has no need of an address, and nobody to learn routes from.
    for (const [setting, value] of [
      ['accept_ra', '0'],
      ['disable_ipv6', '1'],
    ])
      setSysctl(`ipv6/conf/${link}/${setting}`, value!);
    host.request(setLink(link, { up: true }));
    using inside = inNetworkNamespace(namespace, () => {
      // Its routes are ours to give, and no neighbour's to advertise.
      setSysctl(`ipv6/conf/${options.interface}/accept_ra`, '0');
      return openNetlink();
    });
    const { index } = inside.get(getLink(options.interface), decodeLink)!;
    inside.batch([...bringUp(index, options.addresses), ...defaultRoutes(options.gateways)]);
    if (options.isolated)
      host.request(setBridgePort(host.get(getLink(link), decodeLink)!.index, { isolated: true }));
  } catch (error) {
    host.request(deleteLink(link), { mayFail: ['ENODEV'] });
    throw error;
  }
}

function bringUp(index: number, addresses: readonly string[]): Request[] {
  const v6 = addresses.some(address => address.includes(':'));
  return [
    setLink(LOOPBACK_INDEX, { up: true }),
    // Without an IPv6 address it shall not have one that nobody asked for either.
    setLink(index, { up: true, ...(v6 ? {} : { linkLocal: false }) }),
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

/** After this long somebody has taken the other end down; it is theirs to know. */
const SETTLE_MS = 500;

/**
 * Waits until the links carry packets. What is sent before is lost, and is sent again by most programs only a second
 * later. At once since Linux 6.8, 1 to 50 ms before.
 */
export async function settled(host: NetlinkSocket, links: readonly (number | string)[]): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  const works = (link: number | string): boolean =>
    host.get(getLink(link), decodeLink, { mayFail: ['ENODEV'] })?.operational ?? true;
  for (const link of links) while (!works(link) && performance.now() < deadline) await setTimeout(1);
}

/** For a container that lost the network its default routes went through. @throws NetlinkError */
export function routeThrough(namespace: number, gateways: readonly string[]): void {
  using inside = inNetworkNamespace(namespace, () => openNetlink());
  inside.batch(defaultRoutes(gateways), { mayFail: ['EEXIST'] });
}

/** For a container without networks. */
export function bringLoopbackUp(namespace: number): void {
  using inside = inNetworkNamespace(namespace, () => openNetlink());
  inside.request(setLink(LOOPBACK_INDEX, { up: true }));
}

/** What a container's published ports need to be reached from itself, where bridges ask netfilter (br_netfilter). */
export function turnBack(host: NetlinkSocket, link: string): void {
  host.request(setBridgePort(host.get(getLink(link), decodeLink)!.index, { hairpin: true }));
}
