// A network as another host has put it into the cluster store. Its names get into rules and into commands of nft(8), so
// nothing is taken as it comes.
import { isIPv4 } from 'node:net';
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
  const [config, ...more] = resource.IPAM.Config;
  const isRight =
    /^[0-9a-f]{64}$/.test(id) &&
    resource.Driver === 'overlay' &&
    [`mini-${id.slice(0, 10)}`, resource.Options[OPTION.bridgeName]].includes(bridge) &&
    MAC.test(mac) &&
    Number.isInteger(vni) &&
    vni! > 0 &&
    vni! < 2 ** 24 &&
    more.length === 0 &&
    isIPv4(config?.Gateway ?? '') &&
    isIPv4(config?.Subnet?.split('/')[0] ?? '');
  if (!isRight) throw new FormatError('it is not a network of the driver overlay');
  return record;
}
