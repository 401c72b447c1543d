// Joins the cluster to the networks of this host: networks of others come into the catalog, their addresses into the
// pools, the name servers and the tunnels; a container here gets an address that no other host has.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { badParameter, FormatError, forbidden } from '../../formats/errors.ts';
import type { ClusterOptions } from '../../formats/network-options.ts';
import type { Tell } from '../../linux/kept-file.ts';
import { decodeAddress, listAddresses } from '../../linux/netlink/addresses.ts';
import { findLink } from '../../linux/netlink/links.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { giveBack } from '../address-pool.ts';
import { type Attachments, dnsNames, macOf } from '../attachments.ts';
import type { Catalog, Network } from '../catalog.ts';
import type { AttachOptions } from '../network.ts';
import type { EndpointRecord } from '../record.ts';
import { type Cluster, noCluster, openCluster } from './cluster.ts';
import { addressesOf, sharedOf } from './entries.ts';
import { fillTunnel } from './tunnel.ts';

/** @param path of the state file */
export function joinCluster(
  options: ClusterOptions,
  path: string,
  parts: {
    host: NetlinkSocket;
    catalog: Catalog;
    attachments: Attachments;
    tell: Tell;
    takeDown: (network: Network) => Promise<void>;
  },
): Cluster {
  const { host, catalog, attachments, tell } = parts;
  const dirty = new Set<string>();
  /** Once for all changes of a moment. */
  const fill = (): void => {
    for (const id of dirty) fillNow({ host, catalog, cluster }, id, tell);
    dirty.clear();
  };
  const advertise = decodeAdvertise(options.advertise);
  const cluster = openCluster({
    options,
    address: () => addressOf(host, advertise),
    path,
    tell,
    hostName: hostname(),
    containers: attachments.containers,
    networks: () =>
      [...catalog.networks.values()].map(each => each.record).filter(each => each.vni !== undefined),
    listeners: {
      added(record) {
        if (!catalog.networks.has(record.resource.Id)) catalog.add(record);
      },
      removed(id) {
        const network = catalog.networks.get(id);
        if (network === undefined) return;
        catalog.remove(network);
        parts
          .takeDown(network)
          .catch(error => tell(`network ${network.record.resource.Name}: ${error.message}`));
      },
      moved(id, { taken, freed }) {
        const poolOf = (address: string) =>
          catalog.networks.get(id)?.pools.find(({ subnet }) => subnet.family === isIP(address));
        if (taken !== undefined && poolOf(taken)?.isFree(taken)) poolOf(taken)?.take(taken);
        if (freed !== undefined) poolOf(freed)?.giveBack(freed);
        if (dirty.size === 0) setImmediate(fill);
        dirty.add(id);
      },
    },
  });
  return cluster;
}

function fillNow(
  { host, catalog, cluster }: { host: NetlinkSocket; catalog: Catalog; cluster: Cluster },
  id: string,
  tell: Tell,
): void {
  const network = catalog.networks.get(id);
  const others = cluster.elsewhere(id);
  if (network === undefined || others === undefined) return;
  try {
    fillTunnel(host, network.record, others);
  } catch (error) {
    tell(`the tunnel of network ${network.record.resource.Name}: ${(error as Error).message}`);
  }
}

/** @throws badParameter when there is no such interface, or it has no address that other hosts could reach */
function addressOf(host: NetlinkSocket, advertise: string): string {
  if (isIP(advertise) !== 0) return advertise;
  const link = findLink(host, advertise);
  const found = host
    .dump(listAddresses(), decodeAddress)
    .filter(({ link: owner, address }) => owner === link?.index && !/^fe[89ab]/.test(address));
  const [first] = [...found.filter(({ address }) => isIP(address) === 4), ...found];
  if (first) return first.address;
  throw badParameter(`cluster-advertise: there is no interface ${advertise} with an address for other hosts`);
}

/** The last one of the claims that wait for each other: together they would only take addresses from each other. */
let turn: Promise<unknown> = Promise.resolve();

/** Attaches a container with an address that this host has from the cluster. */
export function attachShared(options: SharedAttachment): Promise<EndpointRecord> {
  const mine = turn.then(() => attachNow(options));
  turn = mine.catch(() => {});
  return mine;
}

interface SharedAttachment {
  cluster: Cluster | undefined;
  catalog: Catalog;
  network: Network;
  wanted: AttachOptions;
  attach: (wanted: AttachOptions) => EndpointRecord;
}

async function attachNow(options: SharedAttachment): Promise<EndpointRecord> {
  const { cluster, catalog, network, wanted, attach } = options;
  const { Id, Name } = network.record.resource;
  if (cluster === undefined) throw noCluster();
  for (;;) {
    catalog.find(Id);
    const addresses = takeAddresses(network, wanted);
    const macAddress = wanted.macAddress || macOf(addresses.ipAddress);
    const endpoint = sharedOf(wanted, { ...addresses, macAddress, dnsNames: dnsNames(wanted) });
    let isOurs = false;
    try {
      isOurs = await cluster.claim(Id, endpoint);
    } finally {
      // attach() takes them again, and no other container comes between.
      giveBack(network.pools, ...addressesOf(addresses));
    }
    if (isOurs) {
      try {
        return attach({ ...wanted, preferred: addresses });
      } catch (error) {
        cluster.release(Id, addresses);
        throw error;
      }
    }
    await cluster.look(Id, addressesOf(addresses));
    const asked = [wanted.ipAddress, wanted.ipv6Address].filter(each => each !== undefined);
    const taken = asked.find(each =>
      network.pools.some(pool => pool.subnet.family === isIP(each) && !pool.isFree(each)),
    );
    if (taken !== undefined && catalog.networks.has(Id))
      throw forbidden(`Address already in use: ${taken} on network ${Name}`);
  }
}

type Addresses = Pick<EndpointRecord, 'ipAddress' | 'ipv6Address'>;

function takeAddresses(network: Network, wanted: AttachOptions): Addresses {
  const taken: Addresses = { ipAddress: '', ipv6Address: '' };
  try {
    for (const pool of network.pools) {
      const key = pool.subnet.family === 4 ? 'ipAddress' : 'ipv6Address';
      taken[key] = pool.take(wanted[key], wanted.preferred?.[key]);
    }
    return taken;
  } catch (error) {
    giveBack(network.pools, ...addressesOf(taken));
    throw error;
  }
}

/** 'ADDRESS', 'INTERFACE', either with ':PORT', which means nothing here. */
function decodeAdvertise(text: string): string {
  if (isIP(text) === 6) return text;
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+)(?::\d+)?$/.exec(text);
  if (match === null)
    throw new FormatError(
      `cluster-advertise must be an address or an interface, not ${JSON.stringify(text)}`,
    );
  return match[1]!.replace(/^\[|\]$/g, '');
}
