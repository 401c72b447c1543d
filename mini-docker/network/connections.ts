// Plugs containers in, publishes their ports, and unplugs them.

import { setTimeout as pause } from 'node:timers/promises';
import { forbidden, notFound } from '../formats/errors.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { unplug } from './attachments.ts';
import { settled } from './cable.ts';
import type { Network } from './catalog.ts';
import { attachShared } from './cluster/shared-networks.ts';
import { isMacvlan } from './macvlan.ts';
import type { AttachOptions, Endpoint, Networks } from './network.ts';
import type { Parts } from './parts.ts';
import { leadsOut } from './publications.ts';
import { type EndpointRecord, hasLinks } from './record.ts';

type Connections = Pick<Networks, 'attach' | 'publish' | 'detach' | 'moveTo' | 'rename' | 'endpoints'>;

export function connections(parts: Parts): Connections {
  const { catalog, attachments, publications, nameServers, sweeper, sandboxes } = parts;
  const { containers } = attachments;
  return {
    async attach(wanted) {
      const network = catalog.find(wanted.network);
      if (network.record.resource.ConfigOnly)
        throw forbidden('cannot create endpoint on configuration-only network');
      const endpoint = await plug(parts, network, wanted);
      try {
        sandboxes.keep(wanted.containerId, wanted.pid);
        await nameServers.follow(wanted.containerId);
      } catch (error) {
        await disconnect(parts, wanted.containerId, endpoint).catch(() => {});
        throw error;
      }
      return publicPart(endpoint);
    },
    async publish({ containerId, bindings }) {
      const record = containers.get(containerId);
      if (!record) throw notFound(`container ${containerId} is on no network`);
      // On the driver macvlan a container has its ports on the parent's network: as in docker, none is published.
      if (record.endpoints.some(each => each.gateway !== '') && !record.endpoints.some(leadsOut)) return {};
      const ports = await publications.publish(record, bindings);
      const now = containers.get(containerId);
      if (now) attachments.save({ ...now, ports });
      else await publications.unpublish(containerId);
      return ports;
    },
    async detach(containerId, reference) {
      if (reference !== undefined) {
        const network = catalog.find(reference);
        return disconnect(parts, containerId, endpointOn(parts, containerId, network));
      }
      const gone = attachments.detach(containerId);
      giveBackShared(parts, gone);
      sweeper.add(gone.map(each => each.link));
      sandboxes.drop(containerId);
      await Promise.all([publications.unpublish(containerId), nameServers.follow(containerId)]);
    },
    moveTo(containerId, pid) {
      const record = containers.get(containerId);
      if (!record) return;
      attachments.save({ ...record, pid });
      sandboxes.keep(containerId, pid);
    },
    rename(containerId, name) {
      const record = containers.get(containerId);
      if (!record) return;
      const renamed = (names: string[]): string[] =>
        names.map(each => (each === record.containerName ? name : each));
      const endpoints = record.endpoints.map(each => ({ ...each, dnsNames: renamed(each.dnsNames) }));
      attachments.save({ ...record, containerName: name, endpoints });
      parts.cluster?.renamed(containerId);
    },
    endpoints: containerId => (containers.get(containerId)?.endpoints ?? []).map(publicPart),
  };
}

/** <asm-generic/errno.h>: what a bridge with all its ports answers (BR_MAX_PORTS). */
const EXFULL = 54;

async function plug(parts: Parts, network: Network, wanted: AttachOptions): Promise<EndpointRecord> {
  const { cluster, host, catalog, attachments, partition, switchboard } = parts;
  const { record } = network;
  if (!hasLinks(record)) return attachments.attach(wanted, network, undefined);
  const bridge = await switchboard.stand(record);
  if (isMacvlan(record)) return plugWhenFree(() => attachments.attach(wanted, network, bridge));
  const attachTo = async (index: number): Promise<EndpointRecord> => {
    const attach = (options: AttachOptions) => attachments.attach(options, network, index);
    return record.vni === undefined
      ? attach(wanted)
      : attachShared({ cluster, catalog, network, wanted, attach });
  };
  try {
    const endpoint = await attachTo(bridge);
    if (partition.groups.length > 0) await switchboard.applyRules();
    // First the port: the first one makes the bridge work.
    await settled(host, [endpoint.link, bridge]);
    return endpoint;
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === EXFULL)
      throw forbidden(
        `network ${record.resource.Name} is full: its bridge has 1023 ports, as many as the kernel allows; put further containers on another network`,
        { cause: error },
      );
    // Another program may have removed the bridge: then it is made again, once.
    if (!(error instanceof NetlinkError) || switchboard.isThere(bridge)) throw error;
    catalog.find(record.resource.Id);
    switchboard.forget(record);
    return attachTo(await switchboard.stand(record));
  }
}

/** Other hosts can have their addresses then. */
export function giveBackShared({ cluster, catalog }: Parts, gone: readonly EndpointRecord[]): void {
  for (const endpoint of gone)
    if (catalog.networks.get(endpoint.networkId)?.record.vni !== undefined)
      cluster?.release(endpoint.networkId, endpoint);
}

/** Milliseconds that the namespace of an exited container takes at most to go, with the MAC address in it. */
const LAST_BREATH = 3000;

/** A container that starts again gets its former MAC address, which a parent has only once. */
async function plugWhenFree(attach: () => EndpointRecord): Promise<EndpointRecord> {
  for (const start = performance.now(); ; await pause(5)) {
    try {
      return attach();
    } catch (error) {
      const isTaken = error instanceof NetlinkError && error.code === 'EADDRINUSE';
      if (!isTaken || performance.now() - start > LAST_BREATH) throw error;
    }
  }
}

function endpointOn({ attachments }: Parts, containerId: string, network: Network): EndpointRecord {
  const record = attachments.containers.get(containerId);
  const { Id, Name } = network.record.resource;
  const endpoint = record?.endpoints.find(each => each.networkId === Id);
  if (endpoint) return endpoint;
  const name = record?.containerName ?? containerId;
  throw notFound(`container ${name} is not connected to network ${Name}`);
}

/**
 * While the container keeps running. Its ports move to the network that then has the default route, if any.
 */
async function disconnect(parts: Parts, containerId: string, endpoint: EndpointRecord): Promise<void> {
  const { host, attachments, nameServers, publications } = parts;
  const { containers } = attachments;
  const record = containers.get(containerId)!;
  giveBackShared(parts, attachments.detach(containerId, endpoint.networkId));
  const rest = containers.get(containerId) ?? { ...record, endpoints: [] };
  await unplug(host, rest, endpoint);
  await nameServers.follow(containerId);
  if (!publications.leadsTo(containerId, endpoint.ipAddress)) return;
  await publications.unpublish(containerId);
  if (rest.endpoints.some(leadsOut)) await publications.publish(rest, record.ports);
}

function publicPart(record: EndpointRecord): Endpoint {
  const { link: _, links: __, dnsServers: ___, ...endpoint } = record;
  return endpoint;
}
