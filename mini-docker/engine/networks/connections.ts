// A container's networks while its program runs: connected before it starts, released after it has exited.

import type { EndpointSettings, PortMap } from '../../formats/engine-api/containers.ts';
import type { Endpoint, RunningContainer } from '../../network/network.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { decodeLink } from './links.ts';
import { sharedWith, sharers } from './owner.ts';
import { interfaceName } from './requested.ts';

/**
 * Connects a container whose namespaces exist, and publishes its ports. In a namespace that other containers
 * kept, it is still connected. On failure the caller disconnects.
 */
export async function connectNetworks(
  context: EngineContext,
  record: ContainerRecord,
  pid: number,
): Promise<void> {
  if (record.config.NetworkDisabled || sharedWith(record) !== undefined) return;
  const { networks } = context;
  networks.moveTo(record.id, pid);
  const kept = new Set(networks.endpoints(record.id).map(each => each.networkName));
  for (const [network, settings] of Object.entries(record.networks)) {
    if (!kept.has(network)) await connectNetwork(context, record, { network, settings, pid });
  }
  // `network disconnect` removed every other network.
  if (Object.keys(record.networks).length === 0 && kept.size === 0) {
    await networks.attach(attachOptions(context, record, { network: 'none', settings: {}, pid }));
  }
  await publishPorts(context, record);
}

/** Connects one network, for a container with a process in its namespace. */
export async function connectNetwork(
  context: EngineContext,
  record: ContainerRecord,
  options: { network: string; settings: EndpointSettings; pid: number },
): Promise<void> {
  const { network, settings } = options;
  const endpoint = await context.networks.attach(attachOptions(context, record, options));
  record.networks[network] = connected(settings, endpoint);
  const { ipAddress, ipv6Address } = endpoint;
  if (ipAddress !== '')
    record.lastAddresses = { ...record.lastAddresses, [network]: { ipAddress, ipv6Address } };
  networkEvent(context, 'connect', { record, endpoint });
}

/** Publishes through the first network with a way out. Without one the ports wait for it, as in docker. */
export async function publishPorts(context: EngineContext, record: ContainerRecord): Promise<void> {
  const bindings = wantedBindings(record);
  const hasWayOut = Object.values(record.networks).some(each => each.IPAddress && each.Gateway);
  if (record.ports !== undefined || !hasWayOut || Object.keys(bindings).length === 0) return;
  record.ports = await context.networks.publish({ containerId: record.id, bindings });
}

/** Releases addresses and ports, unless other containers are in the namespace and keep it. Idempotent. */
export async function disconnectNetworks(context: EngineContext, record: ContainerRecord): Promise<void> {
  if (sharedWith(record) !== undefined) return;
  const keeper = sharers(context, record.id)[0]?.run;
  if (keeper === undefined) await forceDisconnect(context, record);
  else context.networks.moveTo(record.id, keeper.container.pid);
}

/**
 * A container in another's namespace has exited. If it was the last one, and the owner has exited before, the
 * owner's networks are released now; in the background, since the owner may be starting.
 */
export function leaveNetworkOwner(context: EngineContext, record: ContainerRecord): void {
  const owner = context.containers.find(sharedWith(record) ?? '');
  if (owner === undefined) return;
  const leave = async () => {
    using _held = await owner.hold();
    if (owner.run !== undefined || owner.removed) return;
    if (sharedWith(owner.record) !== undefined) return leaveNetworkOwner(context, owner.record);
    await disconnectNetworks(context, owner.record);
    context.records.saveLater(owner.record);
  };
  leave().catch(error => context.warn(`container ${owner.name}: its network: ${(error as Error).message}`));
}

/** Disconnects even while other containers are in the namespace: the owner is being removed. */
export async function forceDisconnect(context: EngineContext, record: ContainerRecord): Promise<void> {
  try {
    await context.networks.detach(record.id);
  } catch (error) {
    context.warn(`container ${record.name}: cannot give its network back: ${(error as Error).message}`);
  }
  for (const [network, settings] of Object.entries(record.networks)) {
    if (settings.EndpointID) {
      const endpoint = { networkId: settings.NetworkID ?? '', networkName: network };
      networkEvent(context, 'disconnect', { record, endpoint });
    }
    record.networks[network] = disconnected(settings);
  }
  delete record.ports;
}

function attachOptions(
  { defaults }: EngineContext,
  record: ContainerRecord,
  options: { network: string; settings: EndpointSettings; pid: number },
) {
  const { network, settings, pid } = options;
  const { IPAMConfig, Aliases, Links } = settings;
  const Dns = record.hostConfig.Dns?.length ? record.hostConfig.Dns : defaults.dns;
  const isFirst = Object.keys(record.networks)[0] === network;
  const asked = record.wantedMacs?.[network] || (isFirst && record.config.MacAddress);
  const last = record.lastAddresses?.[network];
  const name = interfaceName(settings);
  // Links of `run` are names on the container's first network only; it may be named by its id.
  const { NetworkMode = '', Links: asAsked } = record.hostConfig;
  const isHome = Object.hasOwn(record.networks, NetworkMode) ? network === NetworkMode : isFirst;
  return {
    network,
    containerId: record.id,
    containerName: record.name,
    pid,
    ...(IPAMConfig?.IPv4Address ? { ipAddress: IPAMConfig.IPv4Address } : {}),
    ...(IPAMConfig?.IPv6Address ? { ipv6Address: IPAMConfig.IPv6Address } : {}),
    ...(last ? { preferred: last } : {}),
    ...(asked ? { macAddress: asked } : {}),
    ...(name ? { interface: name } : {}),
    ...(IPAMConfig?.LinkLocalIPs?.length ? { linkLocal: IPAMConfig.LinkLocalIPs } : {}),
    aliases: [
      ...(Aliases ?? []),
      record.id.slice(0, 12),
      ...(record.config.Hostname ? [record.config.Hostname] : []),
    ],
    links: Object.fromEntries(
      [...((isHome && asAsked) || []), ...(Links ?? [])]
        .map(decodeLink)
        .map(each => [each.alias, each.target]),
    ),
    ...(Dns?.length ? { dns: { servers: Dns } } : {}),
  };
}

function connected(settings: EndpointSettings, endpoint: Endpoint): EndpointSettings {
  return {
    ...settings,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: endpoint.gateway,
    IPAddress: endpoint.ipAddress,
    IPPrefixLen: endpoint.ipPrefixLen,
    IPv6Gateway: endpoint.ipv6Gateway,
    GlobalIPv6Address: endpoint.ipv6Address,
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLen,
    MacAddress: endpoint.macAddress,
    DNSNames: endpoint.dnsNames,
  };
}

/** What the networks need to know of a container that an earlier daemon left running. */
export function runningOnNetworks(
  context: EngineContext,
  record: ContainerRecord,
  pid: number,
): RunningContainer {
  const { id: containerId, name: containerName, ports = {} } = record;
  if (record.config.NetworkDisabled || sharedWith(record) !== undefined) return { containerId, pid };
  const asked = Object.entries(record.networks).map(([network, settings]) => {
    const { IPAddress = '', GlobalIPv6Address = '' } = settings;
    const preferred = { ipAddress: IPAddress, ipv6Address: GlobalIPv6Address };
    return { ...attachOptions(context, record, { network, settings, pid }), preferred };
  });
  return { containerId, pid, known: { containerName, asked, ports } };
}

/** Takes over what the networks have found of its connections; the others are no more. */
export function reconcileNetworks(record: ContainerRecord, endpoints: readonly Endpoint[]): void {
  for (const [name, settings] of Object.entries(record.networks))
    if (!endpoints.some(each => each.networkName === name)) record.networks[name] = disconnected(settings);
  for (const each of endpoints)
    record.networks[each.networkName] = connected(record.networks[each.networkName] ?? {}, each);
  if (endpoints.length === 0) delete record.ports;
}

/** The requested settings, without those assigned while it runs. */
export function disconnected(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, DriverOpts } = settings;
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links ? { Links } : {}),
    ...(Aliases ? { Aliases } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
  };
}

/** --publish, and, with --publish-all, a free port for each port that the image exposes. */
export function wantedBindings(record: ContainerRecord): PortMap {
  const bindings: PortMap = { ...record.hostConfig.PortBindings };
  if (record.hostConfig.PublishAllPorts) {
    for (const port of Object.keys(record.config.ExposedPorts ?? {})) {
      const key = port.includes('/') ? port : `${port}/tcp`;
      if (!bindings[key]?.length) bindings[key] = [{ HostIp: '', HostPort: '' }];
    }
  }
  return bindings;
}

export function networkEvent(
  context: EngineContext,
  action: 'connect' | 'disconnect',
  options: { record: ContainerRecord; endpoint: { networkId: string; networkName: string } },
): void {
  const { record, endpoint } = options;
  if (endpoint.networkId === '') return;
  const type = context.networks.driverOf(endpoint.networkId);
  context.events.emit('network', action, {
    id: endpoint.networkId,
    attributes: { container: record.id, name: endpoint.networkName, type },
  });
}
