// Engine.networks: the clients' operations on networks. The layer network/ carries them out.

import type { EndpointSettings } from '../../formats/engine-api/containers.ts';
import type { NetworkResource } from '../../formats/engine-api/networks.ts';
import { conflict, ExpectedError, forbidden, notFound } from '../../formats/errors.ts';
import { quietly } from '../../formats/quietly.ts';
import type { NetworksApi } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { writeStarted } from '../state/started-file.ts';
import { connectNetwork, disconnected, networkEvent, publishPorts } from './connections.ts';
import { whileNetworksChange } from './etc-files.ts';
import { namespacePid, sharedWith } from './owner.ts';
import { checkEndpoint, unsupportedAlias } from './requested.ts';

export function networksApi(context: EngineContext): NetworksApi {
  const { networks, events } = context;
  const tell = (action: string, { Id, Name, Driver }: NetworkResource) =>
    events.emit('network', action, { id: Id, attributes: { name: Name, type: Driver } });
  return {
    async list(filters = {}) {
      const found = await networks.list(filters);
      // Only inspect lists the containers, as in docker.
      return found.map(each => ({ ...each, Containers: {} }));
    },
    inspect: network => networks.inspect(network),
    async create(body) {
      const created = await networks.create(body);
      tell('create', await networks.inspect(created.Id));
      return created;
    },
    async remove(network) {
      tell('destroy', await networks.remove(network));
    },
    async prune(filters = {}) {
      const before = await networks.list();
      const pruned = await networks.prune(filters, namedByContainers(context));
      const names = new Set(pruned.NetworksDeleted);
      for (const each of before) if (names.has(each.Name)) tell('destroy', each);
      events.emit('network', 'prune', { id: '', attributes: { reclaimed: '0' } });
      return pruned;
    },
    async connect(network, { Container, EndpointConfig }) {
      const live = context.containers.get(Container);
      const resource = await networks.inspect(network);
      using _held = await live.hold();
      await connect(context, live, { network: resource, settings: EndpointConfig ?? {} });
    },
    async disconnect(network, { Container, Force }) {
      const live = context.containers.get(Container);
      const resource = await networks.inspect(network).catch(error => {
        // The network no longer exists: with --force the container drops it from its record.
        if (Force && error instanceof ExpectedError && error.kind === 'notFound') return undefined;
        throw error;
      });
      using _held = await live.hold();
      await disconnect(context, live, resource ?? { Name: network, Id: '' });
    },
    async setCondition({ target, to, ...condition }) {
      const found = to === undefined ? undefined : context.containers.find(to);
      return networks.setCondition({
        target: await targetNamed(context, target),
        condition,
        ...(to === undefined ? {} : { to: found ? { containerId: found.id, name: found.name } : to }),
      });
    },
    showConditions: async target =>
      networks.showConditions(target === undefined ? undefined : await targetNamed(context, target)),
    clearConditions: async target =>
      networks.clearConditions(target === undefined ? undefined : await targetNamed(context, target)),
    async partition(groups) {
      const ids = groups.map(async names => {
        const found = await Promise.all(names.map(name => containersNamed(context, name)));
        return [...new Set(found.flat())];
      });
      await networks.partition(await Promise.all(ids));
    },
    partitions: () =>
      networks.partitions().map(ids => ids.map(id => context.containers.find(id)?.name ?? id.slice(0, 12))),
    map: () => networks.map(),
    trace(container, { port, signal }) {
      const live = context.containers.get(container);
      const ended = new AbortController();
      const either = AbortSignal.any([signal, ended.signal]);
      const packets = networks.trace(sharedWith(live.record) ?? live.id, { port, signal: either });
      const filters = { container: [live.id], event: ['die'] };
      const deaths = events.subscribe({ filters, signal: either })[Symbol.asyncIterator]();
      // Its addresses go to the next container.
      deaths.next().then(() => ended.abort());
      return packets;
    },
  };
}

/** A container, or else a network. @throws notFound when there is neither */
async function targetNamed({ containers, networks }: EngineContext, target: string) {
  const live = containers.find(target);
  if (live !== undefined) return { containerId: live.id, name: live.name };
  const network = quietly(() => networks.definition(target));
  if (network === undefined) throw notFound(`No such container or network: ${target}`);
  return { network: network.Name };
}

/** Ids of a container, or of all containers of a network. @throws notFound when there is neither */
async function containersNamed(context: EngineContext, name: string): Promise<string[]> {
  const found = await targetNamed(context, name);
  if ('containerId' in found) return [found.containerId];
  return [...context.containers]
    .filter(({ record }) => record.networks[found.network] !== undefined)
    .map(each => each.id);
}

/** Networks of all containers, including stopped ones, which need them at their next start. */
function namedByContainers(context: EngineContext): Set<string> {
  return new Set([...context.containers].flatMap(({ record }) => Object.keys(record.networks)));
}

async function connect(
  context: EngineContext,
  live: LiveContainer,
  options: { network: NetworkResource; settings: EndpointSettings },
): Promise<void> {
  const { record } = live;
  const { Name, Id } = options.network;
  checkChangeable(live, Name);
  if (record.networks[Name] !== undefined) {
    const message = `endpoint with name ${live.name} already exists in network ${Name}`;
    throw forbidden(message);
  }
  checkEndpoint(options.settings);
  const { MacAddress, Aliases } = options.settings;
  if (Name === 'bridge' && Aliases?.length) throw unsupportedAlias();
  const settings = disconnected(options.settings);
  if (MacAddress) record.wantedMacs = { ...record.wantedMacs, [Name]: MacAddress };
  const pid = namespacePid(context, live);
  if (pid === undefined) {
    record.networks[Name] = settings;
    networkEvent(context, 'connect', { record, endpoint: { networkId: Id, networkName: Name } });
  } else {
    // A container that was started without any network stands on `none` meanwhile.
    const standsOnNone = context.networks.endpoints(live.id).some(each => each.networkName === 'none');
    if (standsOnNone && record.networks.none === undefined) await context.networks.detach(live.id, 'none');
    await whileNetworksChange(context, live, () =>
      connectNetwork(context, record, { network: Name, settings, pid }),
    );
    await publishPorts(context, record);
  }
  await keep(context, live);
}

async function disconnect(
  context: EngineContext,
  live: LiveContainer,
  { Name, Id }: Pick<NetworkResource, 'Name' | 'Id'>,
): Promise<void> {
  const { record } = live;
  checkChangeable(live, Name);
  if (record.networks[Name] === undefined) {
    throw forbidden(`container ${live.id} is not connected to network ${Name}`);
  }
  const isConnected = context.networks.endpoints(live.id).some(each => each.networkId === Id);
  await whileNetworksChange(context, live, async () => {
    if (isConnected) await context.networks.detach(live.id, Id);
    delete record.networks[Name];
    if (!Object.values(record.networks).some(each => each.IPAddress && each.Gateway)) delete record.ports;
  });
  networkEvent(context, 'disconnect', { record, endpoint: { networkId: Id, networkName: Name } });
  await keep(context, live);
}

/** Docker's rules, in its words. */
function checkChangeable(live: LiveContainer, network: string): void {
  const { record } = live;
  if (live.removing) throw conflict(`container ${live.name} is marked for removal`);
  if (sharedWith(record) !== undefined) {
    throw forbidden(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (network === 'host' || record.networks.host !== undefined) {
    throw forbidden('container cannot be disconnected from host network or connected to host network');
  }
  const isNone = record.networks.none !== undefined;
  if (isNone !== (network === 'none') && Object.keys(record.networks).length > 0) {
    throw forbidden(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
}

/** Saves the change, for the next daemon too. */
async function keep(context: EngineContext, live: LiveContainer): Promise<void> {
  context.records.save(live.record);
  if (live.run !== undefined) writeStarted(context.paths.container(live.id).run, live.record);
  await context.records.settled(live.id);
}
