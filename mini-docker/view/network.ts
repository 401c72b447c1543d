// The network of a box: its links, and where their cables lead.
import { closeSync } from 'node:fs';
import type { LinkView, NetworkView } from '../formats/view.ts';
import { decodeAddress, type KernelAddress, listAddresses } from '../linux/netlink/addresses.ts';
import { decodeLink, type Link, listLinks } from '../linux/netlink/links.ts';
import { type NetlinkSocket, openNetlink } from '../linux/netlink/socket.ts';
import { inNetworkNamespace, openNetworkNamespace } from '../linux/network-namespace.ts';
import { listeningSockets } from '../linux/proc/sockets.ts';

/** Listening sockets that are shown. */
const MOST = 50;

export function readNetwork(pid: number): NetworkView {
  return { links: linksOf(pid), listening: listeningIn(pid), published: [] };
}

interface Look {
  links: Link[];
  addresses: KernelAddress[];
}

const look = (socket: NetlinkSocket): Look => ({
  links: socket.dump(listLinks(), decodeLink),
  addresses: socket.dump(listAddresses(), decodeAddress),
});

/** [] when the process has just ended, or without the right to enter its namespace. */
function linksOf(pid: number): LinkView[] {
  try {
    const namespace = openNetworkNamespace({ pid });
    try {
      using socket = inNetworkNamespace(namespace, () => openNetlink());
      using outside = openNetlink();
      const [inside, host] = [look(socket), look(outside)];
      return inside.links.map(link => shaped(link, { inside, host }));
    } finally {
      closeSync(namespace);
    }
  } catch {
    return [];
  }
}

function shaped(link: Link, { inside, host }: { inside: Look; host: Look }): LinkView {
  const { name, kind, up, mac, mtu, statistics: s } = link;
  // Both ends know each other's index; a container's link 2 may have the same index as one of the host's.
  const peer = host.links.find(({ index, peer }) => index === link.peer && peer === link.index);
  const bridge = host.links.find(({ index }) => index === peer?.master);
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
            bridgeAddresses: bridge === undefined ? [] : addressesOf(host, bridge),
          },
        }),
  };
}

function addressesOf({ addresses }: Look, { index }: Link): string[] {
  return addresses
    .filter(({ link }) => link === index)
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
}

function listeningIn(pid: number): NetworkView['listening'] {
  try {
    return listeningSockets(pid).slice(0, MOST);
  } catch {
    return [];
  }
}
