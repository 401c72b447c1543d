// Joins the cluster to the networks of this host: networks of others come into the catalog, their addresses into the
// pools, the name servers and the tunnels; a container here gets an address that no other host has.

import { hostname } from 'node:os';
import { ExpectedError } from '../../formats/errors.ts';
import type { ClusterOptions } from '../../formats/network-options.ts';
import type { Tell } from '../../linux/kept-file.ts';
import { decodeAddress, listAddresses } from '../../linux/netlink/addresses.ts';
import { decodeLink, getLink } from '../../linux/netlink/links.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { type Attachments, dnsNames, macOf } from '../attachments.ts';
import type { Catalog, Network } from '../catalog.ts';
import type { AttachOptions } from '../network.ts';
import type { EndpointRecord } from '../record.ts';
import { type Cluster, decodeAdvertise, noCluster, openCluster, sharedOf } from './cluster.ts';
import { fillTunnel } from './tunnel.ts';

/** @param path of the state file */
export function joinCluster(
  settings: ClusterOptions,
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
  const cluster = openCluster({
    settings: {
      store: settings.store,
      ttl: settings.ttl,
      advertise: () => addressOf(host, decodeAdvertise(settings.advertise)),
    },
    path,
    tell,
    hostName: hostname(),
    containers: attachments.containers,
    networks: () =>
      [...catalog.networks.values()].map(each => each.record).filter(each => each.vni !== undefined),
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
      const pool = catalog.networks.get(id)?.pools[0];
      if (taken !== undefined && pool?.isFree(taken)) pool.take(taken);
      if (freed !== undefined) pool?.giveBack(freed);
      if (dirty.size === 0) setImmediate(fill);
      dirty.add(id);
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

/** @throws badParameter when there is no such interface, or it has no IPv4 address */
function addressOf(host: NetlinkSocket, advertise: string): string {
  const link = /^[\d.]+$|:/.test(advertise)
    ? undefined
    : host.get(getLink(advertise), decodeLink, { mayFail: ['ENODEV'] });
  if (/^[\d.]+$|:/.test(advertise)) return advertise;
  const found = host
    .dump(listAddresses(), decodeAddress)
    .find(each => each.link === link?.index && !each.address.includes(':'));
  if (found) return found.address;
  throw new ExpectedError(
    'badParameter',
    `cluster-advertise: there is no interface ${advertise} with an IPv4 address`,
  );
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
  const pool = network.pools[0]!;
  for (;;) {
    catalog.find(Id);
    const ipAddress = pool.take(wanted.ipAddress, wanted.preferred?.ipAddress);
    const macAddress = wanted.macAddress || macOf(ipAddress);
    const endpoint = sharedOf(wanted, { ipAddress, macAddress, dnsNames: dnsNames(wanted) });
    let isOurs = false;
    try {
      isOurs = await cluster.claim(Id, endpoint);
    } finally {
      // attach() takes it again, and no other container comes between.
      pool.giveBack(ipAddress);
    }
    if (isOurs) {
      try {
        return attach({ ...wanted, preferred: { ipAddress } });
      } catch (error) {
        cluster.release(Id, ipAddress);
        throw error;
      }
    }
    await cluster.look(Id, ipAddress);
    if (wanted.ipAddress !== undefined && catalog.networks.has(Id))
      throw new ExpectedError('forbidden', `Address already in use: ${ipAddress} on network ${Name}`);
  }
}
