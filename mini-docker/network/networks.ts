// Implements the interface of network.ts.

import { conflict, forbidden, notImplemented } from '../formats/errors.ts';
import { adopt } from './adoption.ts';
import { matches, type Network, resourceOf } from './catalog.ts';
import { noCluster } from './cluster/cluster.ts';
import { conditions } from './conditions.ts';
import { connections } from './connections.ts';
import { defineNetwork, withConfiguration, withDefaults } from './definition.ts';
import { explainConnection } from './explain.ts';
import { checkMacvlan, isMacvlan } from './macvlan.ts';
import { mapNetworks } from './map.ts';
import type { Networks } from './network.ts';
import { type OpenOptions, openParts, type Parts } from './parts.ts';
import { isPredefined, type NetworkRecord } from './record.ts';
import { TABLE } from './rules.ts';
import { traceContainer } from './trace/container.ts';

export function openNetworks(options: OpenOptions): Networks {
  const parts = openParts(options);
  const { host, nft, catalog, attachments, publications, switchboard, nameServers, sweeper } = parts;
  let closed = false;
  return {
    ...definitions(parts, options.defaults),
    ...connections(parts),
    ...conditions(parts),
    driverOf: id => catalog.networks.get(id)?.record.resource.Driver ?? 'bridge',
    adopt: running => adopt(parts, running),
    sandboxKey: parts.sandboxes.keyOf,
    explain: options => explainConnection(catalog.find(options.network).record, options),
    async rulesAgainst(containerId, port) {
      const endpoints = attachments.containers.get(containerId)?.endpoints ?? [];
      const bridges = endpoints
        .map(({ networkId }) => catalog.networks.get(networkId)?.record.bridge ?? '')
        .filter(Boolean);
      return switchboard.nat === false ? [] : nft.rulesAgainst(TABLE, { ...port, bridges });
    },
    async partition(groups) {
      if (groups.length > 0 && switchboard.nat === false)
        throw notImplemented(`a partition needs rules of the firewall, and ${nft.absence}`);
      for (const each of groups.flat().map(id => attachments.containers.get(id)))
        if (each?.endpoints.some(({ interface: name, link }) => name !== '' && link === ''))
          throw forbidden(
            `container ${each.containerName} cannot be in a partition: it is on a network of the driver macvlan, whose packets pass no rule of this host`,
          );
      await parts.partition.set(groups, switchboard.applyRules);
    },
    partitions: () => parts.partition.groups,
    map: () =>
      mapNetworks({
        cluster: parts.cluster,
        host,
        networks: [...catalog.networks.values()],
        containers: [...attachments.containers.values()],
        nft: switchboard.nat === false ? undefined : nft,
        ports: publications.rules(),
      }),
    trace: (containerId, options) => traceContainer(parts, containerId, options),
    pools: options.pools ?? [],
    warnings: () => [...warnings(parts), ...parts.problems],
    async close() {
      if (closed) return;
      closed = true;
      await parts.cluster?.close();
      await sweeper.sweep();
      await Promise.all([publications.close(), nameServers.close()]);
      parts.sandboxes.close();
      if (attachments.containers.size === 0) await switchboard.takeAllDown();
      host.close();
    },
  };
}

type Definitions = Pick<Networks, 'list' | 'inspect' | 'definition' | 'create' | 'remove' | 'prune'>;

function definitions(parts: Parts, defaults: OpenOptions['defaults']): Definitions {
  const { catalog, attachments, switchboard } = parts;
  const shown = (network: Network) => resourceOf(network, attachments.containers.values());
  return {
    async list(filters = {}) {
      return [...catalog.networks.values()].map(shown).filter(resource => matches(resource, filters));
    },
    definition: reference => catalog.find(reference).record.resource,
    async inspect(reference) {
      return shown(catalog.find(reference));
    },
    async create(body) {
      const define = (): NetworkRecord => {
        const others = [...catalog.networks.values()].map(each => each.record.resource);
        const surroundings = { ...catalog.surroundings(), tunnelMtu: parts.tunnelMtu() };
        const defined = defineNetwork(withDefaults(withConfiguration(body, others), defaults), surroundings);
        if (others.some(each => each.Name === body.Name))
          throw conflict(`network with name ${body.Name} already exists`);
        return defined;
      };
      if (body.Driver === 'overlay' && !body.ConfigOnly && parts.cluster === undefined) throw noCluster();
      const isShared = body.Driver === 'overlay' && !body.ConfigOnly;
      const record = isShared ? await parts.cluster!.create(define) : define();
      if (isMacvlan(record))
        checkMacvlan(
          record,
          [...catalog.networks.values()].map(each => each.record),
        );
      const network = catalog.add(record);
      try {
        if (!record.resource.ConfigOnly) await switchboard.stand(record);
      } catch (error) {
        await remove(parts, network).catch(() => {});
        throw error;
      }
      return { Id: record.resource.Id, Warning: warnings(parts).join('; ') };
    },
    async remove(reference) {
      const network = catalog.find(reference);
      const resource = shown(network);
      if (isPredefined(resource.Name))
        throw forbidden(`${resource.Name} is a pre-defined network and cannot be removed`);
      const isUsed = [...catalog.networks.values()].some(
        each => each.record.resource.ConfigFrom.Network === resource.Name,
      );
      if (resource.ConfigOnly && isUsed)
        throw forbidden(
          `error while removing network: configuration network ${JSON.stringify(resource.Name)} is in use`,
        );
      const users = Object.values(resource.Containers).map(each => each.Name);
      if (users.length > 0)
        throw forbidden(
          `error while removing network: network ${resource.Name} id ${resource.Id} has active endpoints: ${users.join(', ')}`,
        );
      await remove(parts, network);
      return resource;
    },
    async prune(filters = {}, inUse = new Set()) {
      const unused = [...catalog.networks.values()].filter(network => {
        const resource = shown(network);
        const named = inUse.has(resource.Name) || inUse.has(resource.Id);
        return !named && !resource.ConfigOnly && matches(resource, { ...filters, dangling: ['true'] });
      });
      const removed: string[] = [];
      for (const network of unused) {
        // Other hosts may have containers on a network that is unused here.
        const isShared = network.record.vni !== undefined;
        const done = await remove(parts, network).then(
          () => true,
          error => (isShared ? false : Promise.reject(error)),
        );
        if (done) removed.push(network.record.resource.Name);
      }
      return { NetworksDeleted: removed };
    },
  };
}

async function remove({ catalog, cluster, switchboard }: Parts, network: Network): Promise<void> {
  if (network.record.vni !== undefined) {
    if (cluster === undefined) throw noCluster();
    await cluster.remove(network.record);
  }
  catalog.withdraw(network);
  try {
    if (!network.record.resource.ConfigOnly) await switchboard.takeDown(network.record);
  } finally {
    // Last, so that the next daemon finds the bridge that a killed one did not get to.
    catalog.forget(network);
  }
}

function warnings({ switchboard, nft }: Parts): string[] {
  if (switchboard.nat !== false || nft.isForbidden) return [];
  return [
    'nft is not installed: containers reach each other, but no other hosts; networks are not kept apart; published ports are passed on by the daemon. Install nftables',
  ];
}
