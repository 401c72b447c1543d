// The list of networks: finds them by name or id, lists them, and removes them.

import type { NetworkResource } from '../formats/engine-api/networks.ts';
import type { Filters } from '../formats/engine-api/system.ts';
import { badParameter, notFound } from '../formats/errors.ts';
import { matchesLabels, untilTime } from '../formats/filters.ts';
import { lookup } from '../formats/lookup.ts';
import type { AddressRange, BridgeOptions } from '../formats/network-options.ts';
import { decodeTimestamp } from '../formats/timestamp.ts';
import { findLink } from '../linux/netlink/links.ts';
import { decodeRoute, listRoutes } from '../linux/netlink/routes.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { type AddressPool, createAddressPool } from './address-pool.ts';
import { removeBridge } from './bridge.ts';
import { bridgeWanted, defineDefaultBridge, isMadeFrom } from './default-bridge.ts';
import { defineWithoutLinks, type Surroundings } from './definition.ts';
import { checkRanges, isOccupied } from './pools.ts';
import { type ContainerRecord, isPredefined, type NetworkRecord } from './record.ts';
import type { RecordStore } from './record-store.ts';
import { decodeSubnet, overlaps, type Subnet } from './subnet.ts';

/** A network, and the owners of its addresses. */
export interface Network {
  record: NetworkRecord;
  pools: AddressPool[];
}

export interface Catalog {
  readonly networks: ReadonlyMap<string, Network>;
  /** @throws notFound when there is none; badParameter when several match */
  find(reference: string): Network;
  add(record: NetworkRecord): Network;
  /** From now on it is not found; `forget` removes it from the disk. */
  withdraw(network: Network): void;
  forget(network: Network): void;
  remove(network: Network): void;
  surroundings(): Surroundings;
}

/**
 * Reads the networks from disk, and creates missing predefined ones. @throws badParameter, forbidden when the settings
 * of the default bridge are invalid
 */
export function openCatalog(options: {
  store: RecordStore;
  host: NetlinkSocket;
  bridge: BridgeOptions;
  pools: readonly AddressRange[] | undefined;
}): Catalog {
  const { store, host, bridge: settings, pools } = options;
  checkRanges(pools ?? []);
  const networks = new Map<string, Network>();
  const keep = (record: NetworkRecord): Network => {
    const network = { record, pools: poolsOf(record) };
    networks.set(record.resource.Id, network);
    return network;
  };

  const catalog: Catalog = {
    networks,
    find: reference => find([...networks.values()], reference),
    add(record) {
      store.saveNetwork(record);
      return keep(record);
    },
    withdraw: network => networks.delete(network.record.resource.Id),
    forget: network => store.removeNetwork(network.record.resource.Id),
    remove(network) {
      catalog.withdraw(network);
      catalog.forget(network);
    },
    surroundings: () => ({
      networks: [...networks.values()].flatMap(each => each.pools.map(pool => pool.subnet)),
      routes: hostRoutes(host),
      bridges: new Set([...networks.values()].map(each => each.record.bridge)),
      pools,
    }),
  };

  for (const record of store.networks()) {
    try {
      keep(record);
    } catch (error) {
      store.tell(`network ${record.resource.Name} is left alone: ${(error as Error).message}`);
    }
  }
  const named = (name: string): Network | undefined =>
    [...networks.values()].find(each => each.record.resource.Name === name);
  for (const name of ['host', 'none'] as const) if (!named(name)) catalog.add(defineWithoutLinks(name));
  const bridge = named('bridge');
  const wanted = bridgeWanted(host, settings, bridge?.record);
  if (bridge && isDisplaced(bridge, host)) catalog.remove(bridge);
  else if (bridge && (settings.bridge === 'none' || !isMadeFrom(bridge.record, wanted))) {
    if (isInUse(bridge, store))
      store.tell(
        'the default bridge keeps its former settings, because containers are on it: stop them, and start the daemon again',
      );
    else {
      catalog.remove(bridge);
      removeBridge(host, bridge.record);
    }
  }
  if (!named('bridge') && settings.bridge !== 'none')
    catalog.add(defineDefaultBridge(catalog.surroundings(), wanted));
  return catalog;
}

/**
 * Whether the host has since got a route into its subnet (a VPN, another network card), while the network has
 * no link.
 */
function isDisplaced(network: Network, host: NetlinkSocket): boolean {
  if (findLink(host, network.record.bridge)) return false;
  return network.pools.some(pool => hostRoutes(host).some(route => overlaps(route, pool.subnet)));
}

const isInUse = ({ record }: Network, store: RecordStore): boolean =>
  store.containers().some(each => each.endpoints.some(({ networkId }) => networkId === record.resource.Id));

function poolsOf(record: NetworkRecord): AddressPool[] {
  const { Name, IPAM, ConfigOnly } = record.resource;
  if (ConfigOnly) return [];
  return IPAM.Config.map(config =>
    createAddressPool({
      network: Name,
      subnet: config.Subnet!,
      range: config.IPRange,
      reserved: [config.Gateway!, ...Object.values(config.AuxiliaryAddresses ?? {})],
    }),
  );
}

function hostRoutes(host: NetlinkSocket): Subnet[] {
  return host
    .dump(listRoutes(), decodeRoute)
    .filter(route => isOccupied(route.destination))
    .map(route => decodeSubnet(`${route.destination.address}/${route.destination.prefixLength}`)!);
}

function find(networks: readonly Network[], reference: string): Network {
  const exact = networks.find(
    ({ record: { resource } }) => resource.Name === reference || resource.Id === reference,
  );
  if (exact) return exact;
  const [only, ...others] =
    reference === '' ? [] : networks.filter(each => each.record.resource.Id.startsWith(reference));
  if (others.length > 0)
    throw badParameter(`network ${reference} is ambiguous (${others.length + 1} matches found on ID prefix)`);
  if (!only) throw notFound(`network ${reference} not found`);
  return only;
}

/** The network as the API shows it. */
export function resourceOf(network: Network, containers: Iterable<ContainerRecord>): NetworkResource {
  const { resource } = network.record;
  const shown: NetworkResource['Containers'] = {};
  for (const { containerId, containerName, endpoints } of containers) {
    for (const endpoint of endpoints) {
      if (endpoint.networkId !== resource.Id) continue;
      const withLength = (address: string, length: number): string =>
        address === '' ? '' : `${address}/${length}`;
      shown[containerId] = {
        Name: containerName,
        EndpointID: endpoint.endpointId,
        MacAddress: endpoint.macAddress,
        IPv4Address: withLength(endpoint.ipAddress, endpoint.ipPrefixLen),
        IPv6Address: withLength(endpoint.ipv6Address, endpoint.ipv6PrefixLen),
      };
    }
  }
  return { ...resource, Containers: shown };
}

/** Docker's filters of GET /networks. @throws badParameter when a filter does not exist */
export function matches(resource: NetworkResource, filters: Filters): boolean {
  const { label: _, 'label!': __, ...others } = filters;
  if (!matchesLabels(resource.Labels, filters)) return false;
  return Object.entries(others).every(([key, values]) => {
    const test = lookup(FILTERS, key);
    if (!test) throw badParameter(`Invalid filter '${key}'`);
    const rule = lookup(VALUES, key);
    const wrong = values.find(value => rule?.allowed.includes(value) === false);
    if (rule && wrong !== undefined) throw badParameter(rule.refusal(wrong));
    return values.some(value => test(resource, value));
  });
}

/** The filters that do not take arbitrary text, with Docker's refusals. */
const VALUES: Record<string, { allowed: readonly string[]; refusal(value: string): string }> = {
  dangling: {
    allowed: ['true', '1', 'false', '0'],
    refusal: () => 'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
  },
  type: { allowed: ['builtin', 'custom'], refusal: value => `invalid filter: 'type'='${value}'` },
};

const FILTERS: Record<string, (resource: NetworkResource, value: string) => boolean> = {
  name: (resource, value) => resource.Name.includes(value),
  id: (resource, value) => resource.Id.startsWith(value),
  driver: (resource, value) => resource.Driver === value,
  scope: (resource, value) => resource.Scope === value,
  type: (resource, value) => (value === 'builtin') === isPredefined(resource.Name),
  dangling: (resource, value) =>
    ['true', '1'].includes(value) ===
    (Object.keys(resource.Containers).length === 0 && !isPredefined(resource.Name)),
  until: (resource, value) => decodeTimestamp(resource.Created)! < untilTime(value),
};
