// Makes a network's record from a user's request: name, subnets, gateways, options; everything is validated.

import { randomBytes, randomInt } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { IpamConfig, NetworkCreateBody } from '../formats/engine-api/networks.ts';
import { badParameter, type ExpectedError, forbidden, notFound, notImplemented } from '../formats/errors.ts';
import { lookup } from '../formats/lookup.ts';
import type { AddressRange, NetworkOptions } from '../formats/network-options.ts';
import { usable } from './address-pool.ts';
import { choosePool, uniqueLocalPool } from './pools.ts';
import { isPredefined, type NetworkRecord, OPTION } from './record.ts';
import {
  contains,
  containsSubnet,
  decodeSubnet,
  encodeSubnet,
  overlaps,
  type Subnet,
  toAddress,
  toNumber,
} from './subnet.ts';

export interface Surroundings {
  /** Subnets of the other networks, which must not overlap. */
  networks: readonly Subnet[];
  /** The host's routes, which a chosen subnet must not cover. */
  routes: readonly Subnet[];
  /** Names of existing bridges. */
  bridges: ReadonlySet<string>;
  /** The largest packet that a tunnel to other hosts takes. */
  tunnelMtu?: number | undefined;
  /** Where networks without a subnet get theirs from; undefined: Docker's ranges. */
  pools?: readonly AddressRange[] | undefined;
}

/** @throws badParameter, forbidden, notImplemented when the request is invalid */
export function defineNetwork(body: NetworkCreateBody, around: Surroundings): NetworkRecord {
  if (isPredefined(body.Name) || body.Name === 'default')
    throw forbidden(`operation is not permitted on predefined ${body.Name} network`);
  checkName(body.Name);
  if (body.ConfigOnly) return configuration(body);
  const driver = body.Driver || 'bridge';
  if (driver === 'host' || driver === 'null')
    throw forbidden(`only one instance of "${driver}" network is allowed`);
  if (!['bridge', 'macvlan', 'overlay'].includes(driver))
    throw notFound(
      `could not find plugin ${driver} in v1 plugin registry: plugin not found (mini-docker has the drivers bridge, macvlan and overlay)`,
    );
  if (body.Ingress)
    throw notImplemented('Ingress networks belong to swarm mode, which mini-docker does not have');
  if (body.EnableIPv4 === false) throw notImplemented('networks without IPv4 are not supported');
  if (driver === 'overlay') return overlayNetwork(body, around);
  return driver === 'macvlan' ? macvlanNetwork(body, around) : bridgeNetwork(body, around);
}

/** A configuration from which other networks are made (`--config-only`): it has no links, and no addresses of its own. */
function configuration(body: NetworkCreateBody): NetworkRecord {
  if (body.ConfigFrom?.Network)
    throw forbidden('a configuration network cannot depend on another configuration network');
  for (const { Subnet = '' } of body.IPAM?.Config ?? [])
    if (Subnet !== '' && !decodeSubnet(Subnet))
      throw badParameter(`invalid subnet ${Subnet}: it must be in CIDR notation`);
  const resource = resourceOf(body, newId());
  const { Options = null, Config } = body.IPAM ?? {};
  const IPAM = { ...resource.IPAM, Options, Config: (Config ?? []).filter(each => each.Subnet) };
  return {
    version: 1,
    resource: {
      ...resource,
      Driver: 'null',
      ConfigOnly: true,
      EnableIPv6: body.EnableIPv6 ?? false,
      IPAM,
      Options: body.Options ?? {},
    },
    bridge: '',
    mac: '',
  };
}

/** The body with what `--config-from` names in it. `configurations`: the networks that can be named there. */
export function withConfiguration(
  body: NetworkCreateBody,
  configurations: readonly NetworkRecord['resource'][],
): NetworkCreateBody {
  const wanted = body.ConfigFrom?.Network;
  if (!wanted || body.ConfigOnly) return body;
  const found = configurations.find(each => each.ConfigOnly && (each.Name === wanted || each.Id === wanted));
  if (found === undefined) throw notFound(`configuration network ${JSON.stringify(wanted)} does not exist`);
  const has = (value: object | null | undefined) => Object.keys(value ?? {}).length > 0;
  const isSet = (config: IpamConfig) => Object.values(config).some(each => has(Object(each)));
  const refuse = (what: string) => {
    const message = `${what} are not supported if the network depends on a configuration network`;
    throw forbidden(message);
  };
  if (has(body.Options)) refuse('network driver options');
  if (has(body.Labels) || body.EnableIPv6 || has(body.IPAM?.Options) || body.IPAM?.Config?.some(isSet))
    refuse('user specified configurations');
  const { IPAM, Options, Labels, EnableIPv6 } = found;
  return { ...body, IPAM, Options, Labels, EnableIPv6, ConfigFrom: { Network: found.Name } };
}

/** The body with the daemon's options for networks of its driver, where it has not set them. */
export function withDefaults(
  body: NetworkCreateBody,
  defaults: NetworkOptions['defaults'],
): NetworkCreateBody {
  const those =
    body.ConfigOnly || body.ConfigFrom?.Network ? undefined : lookup(defaults ?? {}, body.Driver || 'bridge');
  return those === undefined ? body : { ...body, Options: { ...those, ...body.Options } };
}

/** 'host' and 'none' have no links of ours, and exist to be named. */
export function defineWithoutLinks(name: 'host' | 'none'): NetworkRecord {
  return {
    version: 1,
    resource: { ...resourceOf({ Name: name }, newId()), Driver: name === 'none' ? 'null' : 'host' },
    bridge: '',
    mac: '',
  };
}

export function bridgeNetwork(body: NetworkCreateBody, around: Surroundings): NetworkRecord {
  const id = newId();
  const options = checkOptions(body.Options ?? {});
  const bridge = options[OPTION.bridgeName] ?? `mini-${id.slice(0, 10)}`;
  if (around.bridges.has(bridge)) throw forbidden(`a network with the bridge name ${bridge} exists already`);
  const resource = resourceOf(body, id);
  resource.Options = options;
  resource.IPAM.Options = body.IPAM?.Options ?? null;
  const { pools, chosen } = definePools({ body, id, around });
  resource.IPAM.Config = pools;
  resource.EnableIPv6 = resource.IPAM.Config.some(config => config.Subnet?.includes(':'));
  const mac = `02:42:${[...randomBytes(4)].map(hex).join(':')}`;
  return { version: 1, resource, bridge, mac, ...(chosen.length > 0 && { chosen }) };
}

/** A bridge on each host, and a tunnel between them. */
function overlayNetwork(body: NetworkCreateBody, around: Surroundings): NetworkRecord {
  if (Object.hasOwn(body.Options ?? {}, 'encrypted'))
    throw notImplemented(
      'the option encrypted is not supported: connect the hosts by WireGuard or IPsec, and name the address in it as cluster-advertise',
    );
  // As docker does, from a range in which no host has its own networks by default.
  const record = bridgeNetwork(body, { ...around, pools: OVERLAY_POOLS });
  const { resource } = record;
  resource.Driver = 'overlay';
  resource.Scope = 'global';
  resource.Options = { [OPTION.mtu]: String(around.tunnelMtu ?? 1450), ...resource.Options };
  return { ...record, vni: Number(resource.Options[OPTION.vni] ?? randomInt(FIRST_VNI, 2 ** 24)) };
}

const OVERLAY_POOLS = [{ base: '10.0.0.0/8', size: 24 }];
/** Below are the numbers that people choose. */
const FIRST_VNI = 4096;

function macvlanNetwork(body: NetworkCreateBody, around: Surroundings): NetworkRecord {
  const id = newId();
  const resource = { ...resourceOf(body, id), Driver: 'macvlan', Options: checkOptions(body.Options ?? {}) };
  // Without a parent there is no way out.
  resource.Internal ||= !resource.Options.parent;
  const { pools, chosen } = definePools({ body, id, around });
  resource.IPAM = { Driver: 'default', Options: body.IPAM?.Options ?? null, Config: pools };
  resource.EnableIPv6 = pools.some(config => config.Subnet?.includes(':'));
  return { version: 1, resource, bridge: '', mac: '', ...(chosen.length > 0 && { chosen }) };
}

function resourceOf(body: NetworkCreateBody, id: string): NetworkRecord['resource'] {
  return {
    Name: body.Name,
    Id: id,
    Created: new Date().toISOString(),
    Scope: 'local',
    Driver: 'bridge',
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: body.Internal ?? false,
    Attachable: body.Attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: body.ConfigFrom?.Network ?? '' },
    ConfigOnly: false,
    Options: {},
    Labels: body.Labels ?? {},
  };
}

export function checkName(name: string): void {
  if (name === '') throw badParameter('network name cannot be empty');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw badParameter(`invalid network name "${name}": only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed`);
}

const SHORT_OPTIONS: Record<string, string> = { mtu: OPTION.mtu, icc: OPTION.icc, bridge: OPTION.bridgeName };
const BOOLEANS: readonly string[] = [OPTION.icc, OPTION.masquerade];

export function checkOptions(given: Record<string, string>): Record<string, string> {
  const options = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [lookup(SHORT_OPTIONS, key) ?? key, value]),
  );
  const wrong = (key: string, wanted: string): ExpectedError =>
    badParameter(`network option ${key}: "${options[key]}" is not ${wanted}`);
  const mtu = options[OPTION.mtu];
  // Below 68 bytes the kernel refuses an Ethernet link (ETH_MIN_MTU), and above 65535 a veth.
  if (mtu !== undefined && !(/^\d{1,5}$/.test(mtu) && Number(mtu) >= 68 && Number(mtu) <= 65535))
    throw wrong(OPTION.mtu, 'a number from 68 to 65535');
  const name = options[OPTION.bridgeName];
  // The kernel has files of these names beside those of links, in /proc/sys/net.
  if (name !== undefined && !/^(?!(?:all|default|\.\.?)$)[a-zA-Z0-9_.-]{1,15}$/.test(name))
    throw wrong(OPTION.bridgeName, 'a link name of at most 15 characters');
  for (const key of BOOLEANS)
    if (options[key] !== undefined && !['true', 'false', '1', '0'].includes(options[key]))
      throw wrong(key, 'true or false');
  const vni = options[OPTION.vni];
  if (vni !== undefined && !(/^\d{1,8}$/.test(vni) && Number(vni) > 0 && Number(vni) < 2 ** 24))
    throw wrong(OPTION.vni, 'one number from 1 to 16777215');
  const binding = options[OPTION.hostBinding];
  if (binding !== undefined && !isIPv4(binding)) throw wrong(OPTION.hostBinding, 'an IPv4 address');
  return options;
}

function definePools(given: { body: NetworkCreateBody; id: string; around: Surroundings }): {
  pools: IpamConfig[];
  chosen: string[];
} {
  const { body, id, around } = given;
  const ipamDriver = body.IPAM?.Driver || 'default';
  if (ipamDriver !== 'default')
    throw notFound(`could not find plugin ${ipamDriver} in v1 plugin registry: plugin not found`);
  const asked = (body.IPAM?.Config ?? []).flatMap(config => checkPool(config, around));
  const pools = [...asked];
  if (!pools.some(pool => isIPv4(pool.Gateway ?? '')))
    pools.unshift(
      withGateway(
        choosePool([...around.networks, ...around.routes, ...pools.flatMap(subnetOf)], around.pools),
      ),
    );
  if (body.EnableIPv6 && !pools.some(pool => isIPv6(pool.Gateway ?? '')))
    pools.push(withGateway(uniqueLocalPool(id)));
  for (const family of [isIPv4, isIPv6])
    if (pools.filter(pool => family(pool.Gateway ?? '')).length > 1)
      throw notImplemented(
        'a network with several subnets of one family is not supported: give one --subnet for IPv4 and one for IPv6',
      );
  return { pools, chosen: pools.filter(pool => !asked.includes(pool)).map(pool => pool.Subnet!) };
}

function subnetOf(config: IpamConfig): Subnet[] {
  const subnet = decodeSubnet(config.Subnet ?? '');
  return subnet ? [subnet] : [];
}

/** Checks the pool. Clients send an empty one if the user gave none. */
function checkPool(config: IpamConfig, around: Surroundings): IpamConfig[] {
  const bad = (message: string): ExpectedError => badParameter(message);
  if (!config.Subnet) {
    if (config.IPRange || config.Gateway)
      throw bad('a network with --ip-range or --gateway needs a --subnet');
    return [];
  }
  const subnet = decodeSubnet(config.Subnet);
  if (!subnet)
    throw bad(`invalid subnet ${config.Subnet}: it must be in CIDR notation, such as 172.28.0.0/16`);
  const hostBits = (subnet.family === 4 ? 32 : 128) - subnet.prefixLength;
  if (hostBits < 2)
    throw bad(`invalid subnet ${config.Subnet}: it has no room for a gateway and a container`);
  if (subnet.prefixLength < (subnet.family === 4 ? 8 : 16))
    throw bad(`invalid subnet ${config.Subnet}: it is too large`);
  if (around.networks.some(other => overlaps(other, subnet)))
    throw forbidden(`Pool overlaps with other one on this address space: ${config.Subnet}`);
  const checked = withGateway(subnet, config.Gateway || undefined);
  if (config.IPRange) {
    const range = decodeSubnet(config.IPRange);
    if (!range || !containsSubnet(subnet, range))
      throw bad(`invalid ip-range ${config.IPRange}: it is not in the subnet ${config.Subnet}`);
    checked.IPRange = encodeSubnet(range);
  }
  if (config.AuxiliaryAddresses && Object.keys(config.AuxiliaryAddresses).length > 0) {
    for (const address of Object.values(config.AuxiliaryAddresses))
      if (!contains(subnet, address))
        throw bad(`invalid auxiliary address ${address}: it is not in the subnet ${config.Subnet}`);
    const taken = [checked.Gateway!];
    for (const [name, address] of Object.entries(config.AuxiliaryAddresses)) {
      if (!isUsable(subnet, address) || taken.some(other => toNumber(other) === toNumber(address)))
        throw inUse(`secondary ip address (${name}:${address})`);
      taken.push(address);
    }
    checked.AuxiliaryAddresses = config.AuxiliaryAddresses;
  }
  return [checked];
}

function withGateway(subnet: Subnet, gateway = toAddress(usable(subnet).first, subnet.family)): IpamConfig {
  if (!contains(subnet, gateway))
    throw badParameter(`invalid gateway ${gateway}: it is not in the subnet ${encodeSubnet(subnet)}`);
  if (!isUsable(subnet, gateway)) throw inUse(`gateway (${gateway})`);
  return { Subnet: encodeSubnet(subnet), Gateway: gateway };
}

/** Whether it is neither the network's own address nor the one for broadcasts. */
function isUsable(subnet: Subnet, address: string): boolean {
  const { first, last } = usable(subnet);
  return toNumber(address) >= first && toNumber(address) <= last;
}

const inUse = (what: string): ExpectedError =>
  forbidden(`failed to allocate ${what}: Address already in use`);

export function newId(): string {
  return randomBytes(32).toString('hex');
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
