// The kernel's view of our networks: bridges, cables, addresses, NAT rules. Our own records only provide the
// names, and where to look.

import type {
  BridgeMap,
  CableEnd,
  NetworkMap,
  ParentMap,
  PublishedMap,
  TunnelMap,
} from '../formats/network-map.ts';
import { quietly } from '../formats/quietly.ts';
import { decodeAddress, type KernelAddress, listAddresses } from '../linux/netlink/addresses.ts';
import { decodeLink, type Link, listLinks } from '../linux/netlink/links.ts';
import { decodeForwarding, listForwarding } from '../linux/netlink/neighbours.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { findBridge } from './bridge.ts';
import type { Network } from './catalog.ts';
import type { Cluster } from './cluster/cluster.ts';
import { tunnelOf } from './cluster/tunnel.ts';
import { foreignEnd } from './foreign-ends.ts';
import { isMacvlan, parentOf } from './macvlan.ts';
import type { Nft } from './nft.ts';
import type { ContainerRecord, NetworkRecord } from './record.ts';
import type { PublishedPort } from './rules.ts';

export interface MapOptions {
  host: NetlinkSocket;
  cluster: Cluster | undefined;
  networks: readonly Network[];
  containers: readonly ContainerRecord[];
  /** undefined when there are no NAT rules. */
  nft: Nft | undefined;
  /** Ports that the daemon then forwards itself. */
  ports: readonly PublishedPort[];
}

export async function mapNetworks(options: MapOptions): Promise<NetworkMap> {
  const { cluster, host, networks, containers, nft, ports } = options;
  const here = look(host);
  const ends = containers.flatMap(endsOf);
  const bridges: BridgeMap[] = [];
  const parents: ParentMap[] = [];
  const idle: string[] = [];
  for (const { record } of networks) {
    if (isMacvlan(record)) {
      const parent = parentMap(record, here, ends);
      if (parent === undefined) idle.push(record.resource.Name);
      else parents.push(parent);
    }
    if (record.bridge === '') continue;
    const bridge = findBridge(host, record);
    if (bridge === undefined) {
      idle.push(record.resource.Name);
      continue;
    }
    bridges.push({
      network: record.resource.Name,
      link: bridge.name,
      up: bridge.up,
      mac: bridge.mac,
      mtu: bridge.mtu,
      addresses: addressesOf(here, bridge),
      internal: record.resource.Internal,
      cables: here.links
        .filter(link => link.master === bridge.index)
        .map(cable => {
          const { name, up, index, peer, kind = 'physical' } = cable;
          if (kind === 'vxlan' && name === tunnelOf(record))
            return { link: name, up, kind, tunnel: tunnelMap(options, record, index) };
          // Each end knows the index of the other one, in the other one's namespace.
          const found = ends.find(({ link }) => link.peer === index && link.index === peer);
          if (found) return { link: name, up, end: found.end };
          const foreign = kind === 'veth' ? foreignEnd(host, here.links, cable) : undefined;
          return { link: name, up, kind, ...(foreign && { foreign }) };
        }),
    });
  }
  const published = nft === undefined ? ports : await nft.published();
  return {
    bridges,
    parents,
    idle,
    published: published.map(port => named(port, containers)),
    publishedBy: nft === undefined ? 'proxy' : 'nat',
    ...(cluster && {
      hosts: cluster.hosts.map(({ id, name, address }) => ({
        name,
        address,
        isSelf: id === cluster.self.id,
      })),
    }),
  };
}

/** undefined while the parent does not exist. */
function parentMap(
  record: NetworkRecord,
  here: View,
  ends: readonly { link: Link; end: CableEnd }[],
): ParentMap | undefined {
  const parent = here.links.find(each => each.name === parentOf(record));
  if (parent === undefined) return undefined;
  const upon = ends.filter(({ link }) => link.kind === 'macvlan' && link.peer === parent.index);
  return {
    network: record.resource.Name,
    link: parent.name,
    up: parent.up,
    mode: record.resource.Options.macvlan_mode || 'bridge',
    ends: upon.map(each => each.end),
  };
}

/** The kernel's entries; the cluster only gives them names. */
function tunnelMap({ host, cluster }: MapOptions, record: NetworkRecord, index: number): TunnelMap {
  const known = cluster?.elsewhere(record.resource.Id) ?? [];
  const ends = host
    .dump(listForwarding(), decodeForwarding)
    .filter(each => each.link === index && each.host !== '')
    .map(each => {
      const { container = '', ipAddress = '' } = known.find(({ mac }) => mac === each.mac) ?? {};
      return { container, ipAddress, at: each.host };
    });
  return { vni: record.vni!, ends };
}

interface View {
  links: Link[];
  addresses: KernelAddress[];
}

function look(socket: NetlinkSocket): View {
  return {
    links: socket.dump(listLinks(), decodeLink),
    addresses: socket.dump(listAddresses(), decodeAddress),
  };
}

function addressesOf({ addresses }: View, { index }: Link): string[] {
  return addresses
    .filter(each => each.link === index && !each.address.startsWith('fe80:'))
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`);
}

/** The cables' ends in a container's namespace; none when it has just exited. */
function endsOf(record: ContainerRecord): { link: Link; end: CableEnd }[] {
  using inside = quietly(() => openNetlinkIn(record.pid));
  if (inside === undefined) return [];
  const view = look(inside);
  return view.links
    .filter(link => link.kind === 'veth' || link.kind === 'macvlan')
    .map(link => ({
      link,
      end: {
        container: record.containerName,
        containerId: record.containerId,
        interface: link.name,
        up: link.up,
        mac: link.mac,
        addresses: addressesOf(view, link),
      },
    }));
}

/** A rule's comment has the name that the container had at the time. */
function named(port: PublishedPort, containers: readonly ContainerRecord[]): PublishedMap {
  const owner = containers.find(({ endpoints }) =>
    endpoints.some(each => [each.ipAddress, each.ipv6Address].includes(port.containerIp)),
  );
  const { protocol, hostIp, hostPort, containerIp, containerPort } = port;
  const container = owner?.containerName ?? port.containerName;
  return { protocol, hostIp, hostPort, container, containerIp, containerPort };
}
