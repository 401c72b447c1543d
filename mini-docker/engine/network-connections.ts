// A container's networks while its program runs: attached before it starts, given back when it has ended.

import type { EndpointSettings, PortMap } from '../formats/engine-api.ts';
import type { Endpoint } from '../network/network.ts';
import type { EngineContext } from './context.ts';
import { translated } from './foreign-errors.ts';
import type { ContainerRecord } from './record.ts';

/** Attaches the container whose namespaces exist, and publishes its ports. On failure the caller disconnects. */
export async function connectNetworks(
  context: EngineContext,
  record: ContainerRecord,
  pid: number,
): Promise<void> {
  if (record.config.NetworkDisabled) return;
  for (const [network, settings] of Object.entries(record.networks)) {
    const endpoint = await translated(
      context.networks.attach(attachOptions(record, { network, settings, pid })),
    );
    record.networks[network] = connected(settings, endpoint);
    networkEvent(context, 'connect', { record, endpoint });
  }
  const bindings = wantedBindings(record);
  const mode = record.hostConfig.NetworkMode;
  if (Object.keys(bindings).length === 0 || mode === 'host' || mode === 'none') return;
  record.ports = await translated(context.networks.publish({ containerId: record.id, bindings }));
}

/** Gives addresses and ports back. Idempotent. */
export async function disconnectNetworks(context: EngineContext, record: ContainerRecord): Promise<void> {
  if (Object.keys(record.networks).length === 0) return;
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
  record: ContainerRecord,
  options: { network: string; settings: EndpointSettings; pid: number },
) {
  const { network, settings, pid } = options;
  const { IPAMConfig, Aliases, Links } = settings;
  const { Dns } = record.hostConfig;
  const asked = record.wantedMacs?.[network] || record.config.MacAddress;
  return {
    network,
    containerId: record.id,
    containerName: record.name,
    pid,
    ...(IPAMConfig?.IPv4Address ? { ipAddress: IPAMConfig.IPv4Address } : {}),
    ...(IPAMConfig?.IPv6Address ? { ipv6Address: IPAMConfig.IPv6Address } : {}),
    ...(asked ? { macAddress: asked } : {}),
    aliases: [...(Aliases ?? []), record.id.slice(0, 12)],
    links: Object.fromEntries([...(record.hostConfig.Links ?? []), ...(Links ?? [])].map(linkPair)),
    ...(Dns?.length ? { dns: { servers: Dns } } : {}),
  };
}

/** 'web:db' or '/web:/this/db' → ['db', 'web'] */
function linkPair(link: string): [string, string] {
  const [target = '', alias = target] = link.split(':');
  return [alias.split('/').at(-1)!, target.replace(/^\//, '')];
}

export function connected(settings: EndpointSettings, endpoint: Endpoint): EndpointSettings {
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

function disconnected(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, DriverOpts } = settings;
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links ? { Links } : {}),
    ...(Aliases ? { Aliases } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
  };
}

/** --publish, and with --publish-all a free port for each that the image exposes. */
function wantedBindings(record: ContainerRecord): PortMap {
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
  const type = ['host', 'none'].includes(endpoint.networkName) ? endpoint.networkName : 'bridge';
  context.events.emit('network', action, {
    id: endpoint.networkId,
    attributes: { container: record.id, name: endpoint.networkName, type: type === 'none' ? 'null' : type },
  });
}
