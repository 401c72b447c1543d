// The network of a box: its links, and where their cables lead.

import { quietly } from '../formats/quietly.ts';
import type { LinkView, NetworkView } from '../formats/view.ts';
import { decodeAddress, type KernelAddress, listAddresses } from '../linux/netlink/addresses.ts';
import { decodeLink, type Link, listLinks } from '../linux/netlink/links.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import { type NetlinkSocket, openNetlink } from '../linux/netlink/socket.ts';
import { listeningSockets } from '../linux/proc/sockets.ts';

/** Listening sockets that are shown. */
const MOST = 50;

/** The networks of the namespaces that the processes are in. */
export function readNetworks(members: readonly { inode: number; pid: number }[]): NetworkView[] {
  const host = quietly(() => {
    using socket = openNetlink();
    return look(socket);
  });
  const looks = members.map(({ pid }) => lookIn(pid));
  return members.map(({ inode, pid }, index) => {
    const inside = looks[index]!;
    const outside = [host, ...looks].flatMap(each => (each === undefined || each === inside ? [] : [each]));
    return {
      inode,
      pid,
      links: inside?.links.map(link => shaped(link, inside, outside)) ?? [],
      listening: listeningIn(inode, pid),
    };
  });
}

/**
 * To find the listening sockets the kernel walks its table of all connections of the machine, which takes milliseconds:
 * a namespace's are kept for a while.
 */
const known = new Map<number, { at: number; found: NetworkView['listening'] }>();
/** Milliseconds. */
const KEPT = 3000;

function listeningIn(inode: number, pid: number): NetworkView['listening'] {
  const now = Date.now();
  for (const [key, { at }] of known) if (now - at > KEPT) known.delete(key);
  const before = known.get(inode);
  if (before !== undefined) return before.found;
  const sockets = quietly(() => listeningSockets(pid).slice(0, MOST)) ?? [];
  const found = sockets.map(({ protocol, address, port }) => ({ protocol, address, port }));
  known.set(inode, { at: now, found });
  return found;
}

interface Look {
  links: Link[];
  addresses: KernelAddress[];
}

export const look = (socket: NetlinkSocket): Look => ({
  links: socket.dump(listLinks(), decodeLink),
  addresses: socket.dump(listAddresses(), decodeAddress),
});

/** undefined when the process has just ended, or without the right to enter its namespace. */
export function lookIn(pid: number): Look | undefined {
  return quietly(() => {
    using socket = openNetlinkIn(pid);
    return look(socket);
  });
}

function shaped(link: Link, inside: Look, outside: readonly Look[]): LinkView {
  const { name, kind, up, mac, mtu, statistics: s } = link;
  // Both ends know each other's index. An unrelated link may have that index too, but not this one as its own peer.
  const isPeer = (other: Link) => other.index === link.peer && other.peer === link.index;
  const there = (link.peerNamespace === undefined ? [inside] : outside).find(({ links }) =>
    links.some(isPeer),
  );
  const peer = there?.links.find(isPeer);
  const bridge = there?.links.find(({ index }) => index === peer?.master);
  return {
    name,
    kind: kind ?? (name === 'lo' ? 'loopback' : 'hardware'),
    up,
    mac,
    mtu,
    addresses: addressesOf(inside, link),
    received: { bytes: s.rxBytes, packets: s.rxPackets, dropped: s.rxDropped },
    sent: { bytes: s.txBytes, packets: s.txPackets, dropped: s.txDropped },
    ...(peer === undefined
      ? {}
      : {
          peer: {
            name: peer.name,
            ...(bridge === undefined ? {} : { bridge: bridge.name }),
            bridgeAddresses: bridge === undefined ? [] : addressesOf(there!, bridge),
          },
        }),
  };
}

export function addressesOf({ addresses }: Look, { index }: Link): string[] {
  return addresses
    .filter(({ link }) => link === index)
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
}
