// The network of containers that name none: `bridge`, as the daemon's settings want it.

import type { IpamConfig } from '../formats/engine-api/networks.ts';
import { badParameter, type ExpectedError } from '../formats/errors.ts';
import type { BridgeOptions } from '../formats/network-options.ts';
import { decodeAddress, listAddresses } from '../linux/netlink/addresses.ts';
import { findLink } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { findBridge } from './bridge.ts';
import { bridgeNetwork, type Surroundings } from './definition.ts';
import { GATEWAY_KEY, type NetworkRecord, OPTION } from './record.ts';
import { contains, containsSubnet, decodeSubnet, encodeSubnet, toAddress, toNumber } from './subnet.ts';

const DEFAULT_BRIDGE = 'mini-docker0';

/**
 * What the default bridge is made from. A bridge of the administrator's, which has the name already, is used with the
 * address that it has, and never removed.
 * @param known the network of an earlier daemon
 */
export function bridgeWanted(
  host: NetlinkSocket,
  options: BridgeOptions,
  known: NetworkRecord | undefined,
): NonNullable<NetworkRecord['madeFrom']> {
  const name = options.bridge ?? 'none';
  const link = name === 'none' ? undefined : findLink(host, name);
  const isOurs = known?.bridge === name && !known.isForeign && findBridge(host, known) !== undefined;
  if (link?.kind !== 'bridge' || isOurs) return given(options);
  const found = host
    .dump(listAddresses(), decodeAddress)
    .find(each => each.link === link.index && !each.address.includes(':'));
  const bip = options.bip ?? (found && `${found.address}/${found.prefixLength}`);
  return { ...given({ ...options, bip }), isForeign: true };
}

/** Without what is undefined, so that it can be compared with what is on disk. */
const given = (options: BridgeOptions): BridgeOptions => JSON.parse(JSON.stringify(options));

/** Whether a default bridge of an earlier daemon is as the settings want it. */
export const isMadeFrom = (record: NetworkRecord, wanted: NetworkRecord['madeFrom']): boolean =>
  JSON.stringify(record.madeFrom ?? {}) === JSON.stringify(wanted);

/** @throws badParameter, forbidden when the settings are invalid */
export function defineDefaultBridge(
  around: Surroundings,
  wanted: NonNullable<NetworkRecord['madeFrom']>,
): NetworkRecord {
  const { bip, bip6, fixedCidr, fixedCidr6, gateway, gateway6, ipv6 = false, isForeign } = wanted;
  const subnets = [
    ...(bip === undefined ? [] : [subnetAround(bip)]),
    // Without an address of the bridge's, the range is the whole subnet.
    ...(ipv6 && bip6 !== undefined ? [subnetAround(bip6)] : []),
    ...(ipv6 && bip6 === undefined && fixedCidr6 !== undefined ? [{ Subnet: fixedCidr6 }] : []),
  ];
  const Options = optionsOf(wanted);
  const body = { Name: 'bridge', EnableIPv6: ipv6, Options, IPAM: { Config: subnets } };
  const record = bridgeNetwork(body, around);
  for (const config of record.resource.IPAM.Config) {
    const isV6 = config.Subnet!.includes(':');
    const range = isV6 ? bip6 && fixedCidr6 : fixedCidr;
    narrow(config, { range, gateway: isV6 ? gateway6 : gateway });
  }
  record.resource.Options = {
    'com.docker.network.bridge.default_bridge': 'true',
    ...record.resource.Options,
  };
  return { ...record, madeFrom: wanted, ...(isForeign && { isForeign }) };
}

/** Where in the subnet the containers' addresses are (fixed-cidr), and their way out (default-gateway). */
function narrow(
  config: IpamConfig,
  { range, gateway }: { range: string | undefined; gateway: string | undefined },
): void {
  const subnet = decodeSubnet(config.Subnet!)!;
  const outside = (what: string): ExpectedError =>
    badParameter(`${what} is not in the subnet of the default bridge, ${config.Subnet}: set bip`);
  if (range !== undefined) {
    const part = decodeSubnet(range);
    if (part === undefined || !containsSubnet(subnet, part)) throw outside(`fixed-cidr ${range}`);
    config.IPRange = encodeSubnet(part);
  }
  if (gateway === undefined) return;
  if (!contains(subnet, gateway)) throw outside(`default-gateway ${gateway}`);
  config.AuxiliaryAddresses = { [GATEWAY_KEY[subnet.family]]: gateway };
}

/** '172.28.0.1/16' is the address of the bridge, and says what its subnet is. */
function subnetAround(bip: string): { Subnet: string; Gateway: string } {
  const [address, bits] = bip.split('/') as [string, string];
  const family = address.includes(':') ? 6 : 4;
  const size = 2n ** BigInt((family === 4 ? 32 : 128) - Number(bits));
  const first = (toNumber(address) / size) * size;
  return { Subnet: `${toAddress(first, family)}/${bits}`, Gateway: address };
}

const optionsOf = (wanted: BridgeOptions): Record<string, string> => ({
  [OPTION.icc]: String(wanted.icc ?? true),
  [OPTION.masquerade]: String(wanted.masquerade ?? true),
  [OPTION.hostBinding]: wanted.hostAddress ?? '0.0.0.0',
  [OPTION.bridgeName]: wanted.bridge ?? DEFAULT_BRIDGE,
  [OPTION.mtu]: String(wanted.mtu ?? 1500),
});
