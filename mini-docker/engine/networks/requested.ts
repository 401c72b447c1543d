// The networks that a container is to be connected to: --network, and docker-compose's settings for each.

import { isIP, isIPv4, isIPv6 } from 'node:net';
import type {
  ContainerConfig,
  EndpointSettings,
  HostConfig,
  NetworkingConfig,
} from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { quietly } from '../../formats/quietly.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { linksOnHost } from './links.ts';

/**
 * Settings by network, the one of NetworkMode first: its gateway becomes the default route.
 * @param options.asked the user's configuration, without the image's additions
 * @throws badParameter when an option is impossible on this network
 */
export function requestedNetworks(
  host: HostConfig,
  options: { asked: ContainerConfig; networking: NetworkingConfig | undefined },
): Record<string, EndpointSettings> {
  const mode = host.NetworkMode ?? 'bridge';
  const asked = options.networking?.EndpointsConfig ?? {};
  checkConflicts(host, { asked: options.asked, endpoints: asked });
  if (mode.startsWith('container:')) return {};
  const first = asked[mode] ?? (mode === 'bridge' ? asked.default : undefined) ?? {};
  if (first.Aliases?.length && ['bridge', 'host', 'none'].includes(mode)) throw unsupportedAlias();
  const networks: Record<string, EndpointSettings> = { [mode]: { ...first } };
  const others = Object.entries(asked).filter(([name]) => name !== mode && name !== 'default');
  if ((mode === 'host' || mode === 'none') && others.length > 0) {
    throw badParameter(`container cannot be connected to network ${others[0]![0]} and ${mode} at once`);
  }
  for (const [name, settings] of others) networks[name] = { ...settings };
  checkMac(options.asked.MacAddress);
  for (const settings of Object.values(networks)) checkEndpoint(settings);
  return networks;
}

/** The name for the link in the container, an option since Docker 28. */
export const interfaceName = ({ DriverOpts }: EndpointSettings): string | undefined =>
  DriverOpts?.['com.docker.network.endpoint.ifname'];

/** @throws badParameter when an address or a name cannot be one of a container's */
export function checkEndpoint(settings: EndpointSettings): void {
  const { IPAMConfig, MacAddress } = settings;
  checkMac(MacAddress);
  const name = interfaceName(settings);
  // What the kernel takes as a link's name; lo exists already.
  if (name !== undefined && (!/^[^\s/:%]{1,15}$/.test(name) || /^(\.{1,2}|lo|all|default)$/.test(name)))
    throw badParameter(
      `invalid interface name ${JSON.stringify(name)}: it has 1 to 15 characters, and no space, / and :`,
    );
  const { IPv4Address, IPv6Address, LinkLocalIPs = [] } = IPAMConfig ?? {};
  if (IPv4Address && !isIPv4(IPv4Address)) throw badParameter(`invalid IPv4 address: ${IPv4Address}`);
  if (IPv6Address && !isIPv6(IPv6Address)) throw badParameter(`invalid IPv6 address: ${IPv6Address}`);
  const wrong = LinkLocalIPs.find(address => !/^169\.254\.|^fe[89ab]/i.test(address) || isIP(address) === 0);
  if (wrong !== undefined) throw badParameter(`invalid link-local IP address: ${wrong}`);
}

/** An odd first byte is the address of a group, which no link can have. */
function checkMac(address = ''): void {
  const isOne = /^[\da-f][02468ace](:[\da-f]{2}){5}$/i.test(address) && !/^[0:]+$/.test(address);
  if (address !== '' && !isOne)
    throw badParameter(
      `invalid MAC address ${JSON.stringify(address)}: it must be one link's, such as 02:42:ac:11:00:02`,
    );
}

/** The error for an alias on the default bridge, which has no names. */
export function unsupportedAlias(): Error {
  return badParameter('network-scoped alias is supported only for containers in user defined networks');
}

/** A container without its own network namespace cannot set anything in it. */
function checkConflicts(
  host: HostConfig,
  { asked, endpoints }: { asked: ContainerConfig; endpoints: Record<string, EndpointSettings> },
): void {
  const mode = host.NetworkMode ?? 'bridge';
  const isShared = mode.startsWith('container:');
  const refuse = (what: string, given: boolean) => {
    if (given) throw badParameter(`conflicting options: ${what}`);
  };
  const has = (value: object | null | undefined) => Object.keys(value ?? {}).length > 0;
  if (isShared || mode === 'host') {
    const kind = isShared ? 'container type network' : 'host type networking';
    if (has(host.Links)) throw linksOnHost(kind);
    const macs = Object.values(endpoints).map(each => each.MacAddress);
    refuse('mac-address and the network mode', [asked.MacAddress, ...macs].some(Boolean));
  }
  refuse('hostname and the UTS mode', host.UTSMode === 'host' && Boolean(asked.Hostname));
  if (!isShared) return;
  refuse('hostname and the network mode', Boolean(asked.Hostname));
  refuse('dns and the network mode', has(host.Dns));
  refuse('custom host-to-IP mapping and the network mode', has(host.ExtraHosts));
  refuse(
    'port publishing and the container type network mode',
    has(host.PortBindings) || host.PublishAllPorts === true,
  );
  refuse('port exposing and the container type network mode', has(asked.ExposedPorts));
}

/** Replaces network ids by names. A network that does not exist becomes an error at the start. */
export function nameNetworks(context: EngineContext, record: ContainerRecord): void {
  const named: ContainerRecord['networks'] = {};
  for (const [reference, settings] of Object.entries(record.networks)) {
    const isPredefined = ['bridge', 'host', 'none'].includes(reference);
    const known = isPredefined ? undefined : quietly(() => context.networks.definition(reference));
    const name = known?.Name ?? reference;
    named[name] = settings;
    const mac = record.wantedMacs?.[reference];
    if (mac !== undefined) record.wantedMacs = { ...record.wantedMacs, [name]: mac };
  }
  record.networks = named;
}
