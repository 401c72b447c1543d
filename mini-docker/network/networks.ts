// Networks as the engine uses them (network.ts): the parts of this folder put together.
import type { PortMap } from '../formats/engine-api.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { openNetlink } from '../linux/netlink/socket.ts';
import { createAttachments, unplug } from './attachments.ts';
import { removeLinks } from './bridge.ts';
import { turnBack } from './cable.ts';
import { matches, type Network, openCatalog, resourceOf } from './catalog.ts';
import { defineNetwork } from './definition.ts';
import { NetworkError } from './errors.ts';
import type { AttachOptions, Endpoint, Networks } from './network.ts';
import { findNft } from './nft.ts';
import { type Publication, publishPorts } from './publisher.ts';
import { type ContainerRecord, type EndpointRecord, isPredefined, OPTION } from './record.ts';
import { openRecordStore } from './record-store.ts';
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
  const publications = new Map<string, Publication>();
  const switchboard = createSwitchboard({
    host,
    nft: findNft(options.nft),
    ports: () => [...publications.values()].flatMap(each => each.rules),
  });
  const sweeper = createSweeper(names => removeLinks(host, names));
  /** What went wrong where nobody waits for an answer. */
  const problems: string[] = [];
  let closed = false;

  const attachTo = async (network: Network, wanted: AttachOptions): Promise<EndpointRecord> => {
    const { record } = network;
    if (record.bridge === '') return attachments.attach(wanted, network, undefined);
    const bridge = await switchboard.stand(record);
    try {
      return attachments.attach(wanted, network, bridge);
    } catch (error) {
      // Somebody may have taken our bridge away: then it is made again, once.
      if (!(error instanceof NetlinkError) || switchboard.isThere(bridge)) throw error;
      switchboard.forget(record);
      return attachments.attach(wanted, network, await switchboard.stand(record));
    }
  };

  const endpointOn = (record: ContainerRecord | undefined, network: Network): EndpointRecord | undefined =>
    record?.endpoints.find(each => each.networkId === network.record.resource.Id);

  const unpublish = async (containerId: string): Promise<void> => {
    const publication = publications.get(containerId);
    if (!publication) return;
    publications.delete(containerId);
    await publication.close();
    await switchboard.applyRules();
  };

  const openPorts = async (
    record: ContainerRecord,
    bindings: PortMap,
    nat: boolean,
  ): Promise<EndpointRecord> => {
    const through = record.endpoints.find(each => each.ipAddress !== '' && each.gateway !== '');
    if (!through)
      throw new NetworkError(
        'badParameter',
        `container ${record.containerName} has no network that ports can be published through`,
      );
    const options = catalog.networks.get(through.networkId)?.record.resource.Options;
    const publication = await publishPorts(bindings, {
      containerName: record.containerName,
      ipAddress: through.ipAddress,
      ipv6Address: through.ipv6Address,
      hostBinding: options?.[OPTION.hostBinding] ?? '0.0.0.0',
      nat,
    });
    publications.set(record.containerId, publication);
    return through;
  };

  const publish = async (record: ContainerRecord, bindings: PortMap): Promise<PortMap> => {
    await unpublish(record.containerId);
    const through = await openPorts(record, bindings, switchboard.nat !== false);
    try {
      turnBack(host, through.link);
      await switchboard.applyRules();
      return publications.get(record.containerId)?.ports ?? {};
    } catch (error) {
      await unpublish(record.containerId).catch(() => {});
      throw error;
    }
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
          throw new NetworkError('conflict', `network with name ${body.Name} already exists`);
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
        throw new NetworkError(
          'forbidden',
          `${resource.Name} is a pre-defined network and cannot be removed`,
        );
      const users = Object.values(resource.Containers).map(each => each.Name);
      if (users.length > 0)
        throw new NetworkError(
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
      return publicPart(await attachTo(network, wanted));
    },
    async publish({ containerId, bindings }) {
      const record = containers.get(containerId);
      if (!record) throw new NetworkError('notFound', `container ${containerId} is on no network`);
      const ports = await publish(record, bindings);
      attachments.save({ ...(containers.get(containerId) ?? record), ports });
      return ports;
    },
    async detach(containerId, reference) {
      const record = containers.get(containerId);
      if (reference === undefined) {
        const gone = attachments.detach(containerId);
        sweeper.add(gone.map(each => each.link));
        return unpublish(containerId);
      }
      const network = catalog.find(reference);
      const endpoint = endpointOn(record, network);
      if (!endpoint)
        throw new NetworkError(
          'notFound',
          `container ${record?.containerName ?? containerId} is not connected to network ${network.record.resource.Name}`,
        );
      attachments.detach(containerId, endpoint.networkId);
      const rest = containers.get(containerId) ?? { ...record!, endpoints: [] };
      await unplug(host, rest, endpoint);
      const { ports } = record!;
      if (!publications.get(containerId)?.rules.some(rule => rule.containerIp === endpoint.ipAddress)) return;
      await unpublish(containerId);
      // Ports move to the network that now has the default route, where there is one.
      if (rest.endpoints.some(each => each.gateway !== '')) await publish(rest, ports);
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
      for (const record of containers.values()) {
        if (Object.keys(record.ports).length === 0) continue;
        await openPorts(record, record.ports, true).catch(error => problems.push(error.message));
      }
      for (const { record } of catalog.networks.values())
        if (switchboard.exists(record)) await switchboard.stand(record);
    },
    async close() {
      if (closed) return;
      closed = true;
      await sweeper.sweep();
      await Promise.all([...publications.values()].map(each => each.close()));
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

/** Links end with the namespace they are in, as a rule; a moment later this takes those away that somebody else's process keeps. */
function createSweeper(remove: (names: string[]) => Promise<void>) {
  const names = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const sweep = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const links = [...names].filter(name => name !== '');
    names.clear();
    await remove(links);
  };
  return {
    sweep,
    add(links: readonly string[]) {
      for (const link of links) names.add(link);
      // Nobody waits for it, and what it cannot remove is tried again when the daemon stops.
      timer ??= setTimeout(() => sweep().catch(() => {}), 1000).unref();
    },
  };
}
