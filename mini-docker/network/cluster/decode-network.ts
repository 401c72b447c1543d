// A network as another host has put it into the cluster store. Its names get into rules and into commands of nft(8), so
// nothing is taken as it comes.
import { isIP } from 'node:net';
import type { IpamConfig } from '../../formats/engine-api/networks.ts';
import { FormatError } from '../../formats/errors.ts';
import { checkName, checkOptions } from '../definition.ts';
import { type NetworkRecord, OPTION } from '../record.ts';
import { decodeNetwork } from '../record-store.ts';

export const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** @throws FormatError, badParameter when it is not one that this program could have made */
export function decodeSharedNetwork(value: string, id: string): NetworkRecord {
  const record = decodeNetwork(Buffer.from(value), id);
  const { resource, bridge, mac, vni } = record;
  checkName(resource.Name);
  checkOptions(resource.Options);
  const isOf = (config: IpamConfig, family: 4 | 6): boolean =>
    [config.Gateway, config.Subnet?.split('/')[0]].every(each => isIP(each ?? '') === family);
  const [v4, v6] = ([4, 6] as const).map(family =>
    resource.IPAM.Config.filter(config => isOf(config, family)),
  ) as [IpamConfig[], IpamConfig[]];
  const isRight =
    /^[0-9a-f]{64}$/.test(id) &&
    resource.Driver === 'overlay' &&
    [`mini-${id.slice(0, 10)}`, resource.Options[OPTION.bridgeName]].includes(bridge) &&
    MAC.test(mac) &&
    Number.isInteger(vni) &&
    vni! > 0 &&
    vni! < 2 ** 24 &&
    v4.length === 1 &&
    v6.length === (resource.EnableIPv6 ? 1 : 0) &&
    v4.length + v6.length === resource.IPAM.Config.length;
  if (!isRight) throw new FormatError('it is not a network of the driver overlay');
  return record;
}
