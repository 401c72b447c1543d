// Connects containers to networks: allocates addresses, and records them, links and names on disk.

import { randomBytes } from 'node:crypto';
import { badParameter, conflict, forbidden } from '../formats/errors.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { removeLink } from '../linux/netlink/links.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { openNetworkNamespace } from '../linux/network-namespace.ts';
import { giveBack } from './address-pool.ts';
import { removeLinks } from './bridge.ts';
import { plugIn, routeThrough } from './cable.ts';
import type { Network } from './catalog.ts';
import { newId } from './definition.ts';
import { isMacvlan, plugIntoParent } from './macvlan.ts';
import type { AttachOptions } from './network.ts';
import {
  type Cable,
  type ContainerRecord,
  type EndpointRecord,
  GATEWAY_KEY,
  hasLinks,
  isPredefined,
  mtuOf,
  OPTION,
} from './record.ts';
import type { RecordStore } from './record-store.ts';

export interface Attachments {
  readonly containers: ReadonlyMap<string, ContainerRecord>;
  /** @param bridge index of the bridge; undefined for networks without links */
  attach(options: AttachOptions, network: Network, bridge: number | undefined): EndpointRecord;
  /** Records a connection that the kernel still has. @throws conflict when another container has its address */
  recover(options: AttachOptions, network: Network, cable: Cable | undefined): void;
  /**
   * Detaches from one network or from all. The caller removes the host's end of a cable that may still exist.
   */
  detach(containerId: string, networkId?: string): EndpointRecord[];
  /** Writes a changed record. */
  save(record: ContainerRecord): void;
}

export function createAttachments(options: {
  store: RecordStore;
  host: NetlinkSocket;
  networks: ReadonlyMap<string, Network>;
}): Attachments {
  const { store, host, networks } = options;
  const containers = new Map<string, ContainerRecord>();
  for (const record of store.containers()) containers.set(record.containerId, record);
  for (const { containerName, endpoints } of containers.values()) {
    try {
      for (const endpoint of endpoints) reserve(networks, endpoint);
    } catch (error) {
      store.tell(`an address of container ${containerName} is not reserved: ${(error as Error).message}`);
    }
  }

  const linksOf = (containerId: string): string[] =>
    (containers.get(containerId)?.endpoints ?? []).map(({ link }) => link);
  const links = new Set([...containers.keys()].flatMap(linksOf));

  const keep = (record: ContainerRecord): void => {
    for (const link of linksOf(record.containerId)) links.delete(link);
    for (const { link } of record.endpoints) links.add(link);
    if (record.endpoints.length > 0) {
      containers.set(record.containerId, record);
      store.saveContainer(record);
    } else {
      containers.delete(record.containerId);
      store.removeContainer(record.containerId);
    }
  };

  /** As Docker names them; so short a random name may already exist. */
  const freeLink = (): string => {
    for (;;) {
      const name = `veth${randomBytes(4).toString('hex').slice(1)}`;
      if (!links.has(name)) return name;
    }
  };

  const recordOf = ({ containerId, containerName, pid }: AttachOptions): ContainerRecord =>
    containers.get(containerId) ?? { version: 1, containerId, containerName, pid, endpoints: [], ports: {} };

  const attach: Attachments['attach'] = (wanted, network, bridge) => {
    const { containerName, pid } = wanted;
    const before = recordOf(wanted);
    checkNew(before, network);
    const endpoint = describeEndpoint({ wanted, network, others: before.endpoints, link: freeLink() });
    const record = { ...before, containerName, pid, endpoints: [...before.endpoints, endpoint] };
    try {
      // On disk first, so that the next daemon can find the leftovers of a killed one.
      keep(record);
      const { linkLocal = [] } = wanted;
      connect({ host, endpoint, network, bridge, others: before.endpoints, pid, linkLocal });
    } catch (error) {
      release(networks, endpoint);
      keep(before);
      throw error;
    }
    return endpoint;
  };

  return {
    containers,
    attach,
    recover(wanted, network, cable) {
      const before = recordOf(wanted);
      checkNew(before, network);
      const endpoint = {
        ...describeEndpoint({ wanted, network, others: before.endpoints, link: freeLink() }),
        ...cable,
      };
      const { ipAddress } = wanted.preferred ?? {};
      if (ipAddress && ipAddress !== endpoint.ipAddress) {
        release(networks, endpoint);
        throw conflict(`another container has its address ${ipAddress}`);
      }
      keep({ ...before, endpoints: [...before.endpoints, endpoint] });
    },
    detach(containerId, networkId) {
      const record = containers.get(containerId);
      if (!record) return [];
      const gone = record.endpoints.filter(each => networkId === undefined || each.networkId === networkId);
      for (const endpoint of gone) release(networks, endpoint);
      keep({ ...record, endpoints: record.endpoints.filter(each => !gone.includes(each)) });
      return gone;
    },
    save: keep,
  };
}

function checkNew(record: ContainerRecord, network: Network): void {
  const { Name, Id, Driver } = network.record.resource;
  const { containerName, endpoints } = record;
  if (endpoints.some(each => each.networkId === Id))
    throw forbidden(`endpoint with name ${containerName} already exists in network ${Name}`);
  const alone = [Driver, ...endpoints.map(each => each.networkName)].find(
    name => name === 'host' || name === 'none' || name === 'null',
  );
  if (endpoints.length > 0 && alone !== undefined)
    throw forbidden(
      `container ${containerName} cannot be connected to ${Name}: a container on the network host or none is on no other`,
    );
}

/** Allocates its addresses. */
function describeEndpoint(given: {
  wanted: AttachOptions;
  network: Network;
  others: readonly EndpointRecord[];
  /** Name for the host's end of the cable. */
  link: string;
}): EndpointRecord {
  const { wanted, network, others, link } = given;
  const { resource, bridge } = network.record;
  const linked = hasLinks(network.record);
  const { Name, Id, Internal } = resource;
  if (isPredefined(Name) && (wanted.ipAddress || wanted.ipv6Address))
    throw badParameter('user specified IP address is supported on user defined networks only');
  for (const [address, isV6] of [
    [wanted.ipAddress, false],
    [wanted.ipv6Address, true],
  ] as const)
    if (address && network.record.chosen?.some(subnet => subnet.includes(':') === isV6))
      throw badParameter(
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      );
  const taken: string[] = [];
  try {
    const addresses = network.pools.map(pool => {
      const [asked, preferred] =
        pool.subnet.family === 4
          ? [wanted.ipAddress, wanted.preferred?.ipAddress]
          : [wanted.ipv6Address, wanted.preferred?.ipv6Address];
      const address = pool.take(asked, preferred);
      taken.push(address);
      return { address, pool };
    });
    const of = (family: 4 | 6) => addresses.find(each => each.pool.subnet.family === family);
    const gatewayOf = (family: 4 | 6): string => {
      const config = resource.IPAM.Config.find(each => each.Gateway?.includes(':') === (family === 6));
      if (Internal || config === undefined) return '';
      return config.AuxiliaryAddresses?.[GATEWAY_KEY[family]] ?? config.Gateway!;
    };
    const ipAddress = of(4)?.address ?? '';
    if (wanted.ipv6Address && !of(6))
      throw badParameter(`network ${Name} has no IPv6 subnet: create it with --ipv6`);
    return {
      networkId: Id,
      networkName: Name,
      endpointId: newId(),
      interface: linked ? interfaceOf(wanted, others) : '',
      ipAddress,
      ipPrefixLen: of(4)?.pool.subnet.prefixLength ?? 0,
      gateway: gatewayOf(4),
      macAddress: linked ? wanted.macAddress || macOf(ipAddress) : '',
      ipv6Address: of(6)?.address ?? '',
      ipv6PrefixLen: of(6)?.pool.subnet.prefixLength ?? 0,
      ipv6Gateway: of(6) ? gatewayOf(6) : '',
      dnsNames: isPredefined(Name) ? [] : dnsNames(wanted),
      link: bridge === '' ? '' : link,
      links: wanted.links ?? {},
      dnsServers: wanted.dns?.servers ?? [],
    };
  } catch (error) {
    giveBack(network.pools, ...taken);
    throw error;
  }
}

export function dnsNames({ containerName, containerId, aliases = [] }: AttachOptions): string[] {
  return [...new Set([containerName, ...aliases, containerId.slice(0, 12)])];
}

function interfaceOf(wanted: AttachOptions, others: readonly EndpointRecord[]): string {
  const used = new Set(others.map(each => each.interface));
  if (wanted.interface !== undefined && used.has(wanted.interface))
    throw conflict(
      `container ${wanted.containerName} has an interface ${wanted.interface} on another network`,
    );
  if (wanted.interface !== undefined) return wanted.interface;
  for (let number = 0; ; number++) if (!used.has(`eth${number}`)) return `eth${number}`;
}

/** As in Docker: derived from the address, so that a reused address keeps the MAC that neighbours know. */
export function macOf(ipAddress: string): string {
  return ['02', '42', ...ipAddress.split('.').map(byte => Number(byte).toString(16).padStart(2, '0'))].join(
    ':',
  );
}

function connect(given: {
  host: NetlinkSocket;
  endpoint: EndpointRecord;
  network: Network;
  bridge: number | undefined;
  others: readonly EndpointRecord[];
  pid: number;
  linkLocal: readonly string[];
}): void {
  const { host, endpoint, network, bridge, others, pid } = given;
  if (bridge === undefined) return;
  using opened = new Descriptor(openNamespaceOf(pid));
  const options = network.record.resource.Options;
  const inside = {
    namespace: opened.number,
    interface: endpoint.interface,
    addresses: [
      ...addressesOf(endpoint),
      ...given.linkLocal.map(address => `${address}/${address.includes(':') ? 64 : 16}`),
    ],
    gateways: gatewaysOf(endpoint, others),
  };
  const [mac, mtu] = [endpoint.macAddress, mtuOf(network.record)];
  if (isMacvlan(network.record)) {
    plugIntoParent({ host, record: network.record, parent: bridge, mac, mtu, inside });
    return;
  }
  plugIn({
    ...inside,
    host,
    bridge,
    link: endpoint.link,
    mac,
    mtu,
    isolated: options[OPTION.icc] === 'false' || options[OPTION.icc] === '0',
  });
}

export function openNamespaceOf(pid: number): number {
  try {
    return openNetworkNamespace({ pid });
  } catch (cause) {
    throw conflict(`the container's process ${pid} has ended: it cannot be connected to a network`, {
      cause,
    });
  }
}

function addressesOf(endpoint: EndpointRecord): string[] {
  const { ipAddress, ipPrefixLen, ipv6Address, ipv6PrefixLen } = endpoint;
  return [
    ...(ipAddress === '' ? [] : [`${ipAddress}/${ipPrefixLen}`]),
    ...(ipv6Address === '' ? [] : [`${ipv6Address}/${ipv6PrefixLen}`]),
  ];
}

/** The default routes that no other network has provided. */
function gatewaysOf(endpoint: EndpointRecord, others: readonly EndpointRecord[]): string[] {
  const has = (key: 'gateway' | 'ipv6Gateway'): boolean => others.some(each => each[key] !== '');
  return [
    ...(endpoint.gateway === '' || has('gateway') ? [] : [endpoint.gateway]),
    ...(endpoint.ipv6Gateway === '' || has('ipv6Gateway') ? [] : [endpoint.ipv6Gateway]),
  ];
}

/** Unplugs a running container; a remaining network with a gateway then provides its default route. */
export async function unplug(
  host: NetlinkSocket,
  record: ContainerRecord,
  endpoint: EndpointRecord,
): Promise<void> {
  if (endpoint.interface === '') return;
  const open = () => openNetlinkIn(record.pid, () => openNamespaceOf(record.pid));
  if (endpoint.link === '') {
    using inside = open();
    removeLink(inside, endpoint.interface);
  } else await removeLinks(host, [endpoint.link]);
  const heir = record.endpoints.find(each => each.gateway !== '');
  if (!heir) return;
  using inside = open();
  routeThrough(inside, gatewaysOf(heir, []));
}

function reserve(networks: ReadonlyMap<string, Network>, endpoint: EndpointRecord): void {
  for (const pool of networks.get(endpoint.networkId)?.pools ?? []) {
    const address = pool.subnet.family === 4 ? endpoint.ipAddress : endpoint.ipv6Address;
    if (address !== '') pool.take(address);
  }
}

function release(networks: ReadonlyMap<string, Network>, endpoint: EndpointRecord): void {
  const network = networks.get(endpoint.networkId);
  if (network) giveBack(network.pools, endpoint.ipAddress, endpoint.ipv6Address);
}
