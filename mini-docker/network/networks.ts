// Networks as the engine uses them (network.ts): the parts of this folder put together.
import { join } from 'node:path';
import { ExpectedError } from '../formats/errors.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { openNetlink } from '../linux/netlink/socket.ts';
import { createAttachments, unplug } from './attachments.ts';
import { removeLinks } from './bridge.ts';
import { settled } from './cable.ts';
import { matches, type Network, openCatalog, resourceOf } from './catalog.ts';
import { defineNetwork } from './definition.ts';
import { createNameServers } from './dns/name-servers.ts';
import { createForwarding } from './forwarding.ts';
import { mapNetworks } from './map.ts';
import type { AttachOptions, Endpoint, Networks } from './network.ts';
import { findNft } from './nft.ts';
import { createPublications } from './publications.ts';
import { type EndpointRecord, isPredefined } from './record.ts';
import { openRecordStore } from './record-store.ts';
import { createSweeper } from './sweeper.ts';
import { createSwitchboard } from './switchboard.ts';

export interface OpenOptions {
  /** A directory of our own: networks and leases are kept there. One process at a time. */
  root: string;
  /** Where nft(8) is; default: in PATH. */
  nft?: string;
}

export function openNetworks(options: OpenOptions): Networks {
  const store = openRecordStore(options.root);
  const host = openNetlink();
  const catalog = openCatalog(store, host);
  const { containers, ...attachments } = createAttachments({ store, host, networks: catalog.networks });
  const nft = findNft(options.nft);
  const publications = createPublications({
    host,
    networks: catalog.networks,
    switchboard: () => switchboard,
  });
  const switchboard = createSwitchboard({
    host,
    nft,
    ports: publications.rules,
    forwarding: createForwarding(host, join(options.root, 'forwarding.json')),
  });
  const nameServers = createNameServers(containers);
  const sweeper = createSweeper(names => removeLinks(host, names));
  /** What went wrong where nobody waits for an answer. */
  const problems: string[] = [];
  let closed = false;

  const attachTo = async (network: Network, wanted: AttachOptions): Promise<EndpointRecord> => {
    const { record } = network;
    if (record.bridge === '') return attachments.attach(wanted, network, undefined);
    const bridge = await switchboard.stand(record);
    try {
      const endpoint = attachments.attach(wanted, network, bridge);
      // First the port, which makes the bridge work if it is its first.
      await settled(host, [endpoint.link, bridge]);
      return endpoint;
    } catch (error) {
      // Somebody may have taken our bridge away: then it is made again, once.
      if (!(error instanceof NetlinkError) || switchboard.isThere(bridge)) throw error;
      catalog.find(record.resource.Id);
      switchboard.forget(record);
      return attachments.attach(wanted, network, await switchboard.stand(record));
    }
  };

  const endpointOn = (containerId: string, network: Network): EndpointRecord => {
    const record = containers.get(containerId);
    const { Id, Name } = network.record.resource;
    const endpoint = record?.endpoints.find(each => each.networkId === Id);
    if (endpoint) return endpoint;
    const name = record?.containerName ?? containerId;
    throw new ExpectedError('notFound', `container ${name} is not connected to network ${Name}`);
  };

  /** While the container goes on. Its ports move to the network that then has the default route, where there is one. */
  const disconnect = async (containerId: string, endpoint: EndpointRecord): Promise<void> => {
    const record = containers.get(containerId)!;
    attachments.detach(containerId, endpoint.networkId);
    const rest = containers.get(containerId) ?? { ...record, endpoints: [] };
    await unplug(host, rest, endpoint);
    await nameServers.follow(containerId);
    if (!publications.leadsTo(containerId, endpoint.ipAddress)) return;
    await publications.unpublish(containerId);
    if (rest.endpoints.some(each => each.gateway !== '')) await publications.publish(rest, record.ports);
  };

  const removeNetwork = async (network: Network): Promise<void> => {
    catalog.remove(network);
    await switchboard.takeDown(network.record);
  };

  const shown = (network: Network) => resourceOf(network, containers.values());

  return {
    async list(filters = {}) {
      return [...catalog.networks.values()].map(shown).filter(resource => matches(resource, filters));
    },
    async inspect(reference) {
      return shown(catalog.find(reference));
    },
    async create(body) {
      const record = defineNetwork(body, catalog.surroundings());
      for (const { record: other } of catalog.networks.values())
        if (other.resource.Name === body.Name)
          throw new ExpectedError('conflict', `network with name ${body.Name} already exists`);
      const network = catalog.add(record);
      try {
        await switchboard.stand(record);
      } catch (error) {
        await removeNetwork(network).catch(() => {});
        throw error;
      }
      return { Id: record.resource.Id, Warning: warnings(switchboard.nat).join('; ') };
    },
    async remove(reference) {
      const network = catalog.find(reference);
      const resource = shown(network);
      if (isPredefined(resource.Name))
        throw new ExpectedError(
          'forbidden',
          `${resource.Name} is a pre-defined network and cannot be removed`,
        );
      const users = Object.values(resource.Containers).map(each => each.Name);
      if (users.length > 0)
        throw new ExpectedError(
          'forbidden',
          `error while removing network: network ${resource.Name} id ${resource.Id} has active endpoints: ${users.join(', ')}`,
        );
      await removeNetwork(network);
      return resource;
    },
    async prune(filters = {}, inUse = new Set()) {
      const unused = [...catalog.networks.values()].filter(network => {
        const resource = shown(network);
        const named = inUse.has(resource.Name) || inUse.has(resource.Id);
        return !named && matches(resource, { ...filters, dangling: ['true'] });
      });
      for (const network of unused) await removeNetwork(network);
      return { NetworksDeleted: unused.map(each => each.record.resource.Name) };
    },

    async attach(wanted) {
      const network = catalog.find(wanted.network);
      const endpoint = await attachTo(network, wanted);
      try {
        await nameServers.follow(wanted.containerId);
      } catch (error) {
        await disconnect(wanted.containerId, endpoint).catch(() => {});
        throw error;
      }
      return publicPart(endpoint);
    },
    async publish({ containerId, bindings }) {
      const record = containers.get(containerId);
      if (!record) throw new ExpectedError('notFound', `container ${containerId} is on no network`);
      const ports = await publications.publish(record, bindings);
      const now = containers.get(containerId);
      if (now) attachments.save({ ...now, ports });
      else await publications.unpublish(containerId);
      return ports;
    },
    async detach(containerId, reference) {
      if (reference !== undefined) {
        const network = catalog.find(reference);
        return disconnect(containerId, endpointOn(containerId, network));
      }
      sweeper.add(attachments.detach(containerId).map(each => each.link));
      await Promise.all([publications.unpublish(containerId), nameServers.follow(containerId)]);
    },
    moveTo(containerId, pid) {
      const record = containers.get(containerId);
      if (record) attachments.save({ ...record, pid });
    },
    rename(containerId, name) {
      const record = containers.get(containerId);
      if (!record) return;
      const renamed = (names: string[]): string[] =>
        names.map(each => (each === record.containerName ? name : each));
      const endpoints = record.endpoints.map(each => ({ ...each, dnsNames: renamed(each.dnsNames) }));
      attachments.save({ ...record, containerName: name, endpoints });
    },
    endpoints: containerId => (containers.get(containerId)?.endpoints ?? []).map(publicPart),
    map: () =>
      mapNetworks({
        host,
        networks: [...catalog.networks.values()],
        containers: [...containers.values()],
        nft: switchboard.nat === false ? undefined : nft,
        ports: publications.rules(),
      }),
    warnings: () => [...warnings(switchboard.nat), ...problems],

    async adopt(running) {
      const pids = new Map(running.map(each => [each.containerId, each.pid]));
      for (const record of [...containers.values()]) {
        const pid = pids.get(record.containerId);
        if (pid === undefined) sweeper.add(attachments.detach(record.containerId).map(each => each.link));
        else attachments.save({ ...record, pid });
      }
      await sweeper.sweep();
      // Ports before rules: the rules are never without a port that they had.
      const publishing = [...containers.values()].filter(each => Object.keys(each.ports).length > 0);
      const note = (error: Error): void => void problems.push(error.message);
      for (const record of publishing) await publications.adopt(record).catch(note);
      for (const { record } of catalog.networks.values())
        if (switchboard.exists(record)) await switchboard.stand(record);
      // Without rules, sockets have more to do than to hold their ports.
      if (switchboard.nat === false)
        for (const record of publishing) await publications.publish(record, record.ports).catch(note);
      for (const id of containers.keys()) {
        await nameServers.follow(id).catch(error => {
          // It ended while nobody looked: its network is given back next.
          if (error.code !== 'ENOENT') note(error);
        });
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await sweeper.sweep();
      await Promise.all([publications.close(), nameServers.close()]);
      if (containers.size === 0) await switchboard.takeAllDown();
      host.close();
    },
  };
}

function publicPart(record: EndpointRecord): Endpoint {
  const { link: _, links: __, dnsServers: ___, ...endpoint } = record;
  return endpoint;
}

function warnings(firewall: boolean | undefined): string[] {
  if (firewall !== false) return [];
  return [
    'nft is not installed: containers reach each other, but no other hosts; networks are not kept apart; published ports are passed on by the daemon. Install nftables',
  ];
}
