// Decodes `--network` in its short and its long form, and the flags that apply to the first network.

import { decodeCsvLine } from '../../formats/csv.ts';
import { defined, unlessEmpty } from '../../formats/defined.ts';
import type { EndpointSettings } from '../../formats/engine-api/containers.ts';
import { splitAt } from '../../formats/split.ts';
import { beforeProgram } from '../errors.ts';
import { readAddress, readMacAddress } from '../flags/values.ts';
import type { CreateFlags } from './create-flags.ts';

interface Attachment {
  name: string;
  aliases: string[];
  driverOpts: Record<string, string>;
  ip?: string;
  ip6?: string;
  mac?: string;
  linkLocal: string[];
}

/** The mode is the first network; all are in the endpoints, as the API requires since 1.44. */
export function endpoints(flags: CreateFlags): { mode: string; endpoints: Record<string, EndpointSettings> } {
  const networks = [...flags.net, ...flags.network].map(readNetwork);
  const first = networks[0] ?? readNetwork('default');
  applyFlags(first, flags);
  if (networks.length > 1) {
    for (const { name } of networks) {
      if (!isUserDefined(name))
        throw beforeProgram(
          `conflicting options: cannot attach both user-defined and non-user-defined network-modes`,
        );
    }
  }
  const all: Record<string, EndpointSettings> = {};
  for (const each of networks.length === 0 ? [first] : networks) {
    if (Object.hasOwn(all, each.name))
      throw beforeProgram(`network ${JSON.stringify(each.name)} is specified multiple times`);
    all[each.name] = settings(each);
  }
  const only = Object.keys(all).length === 1 && Object.keys(all[first.name]!).length === 0;
  // A single network without settings is given by the mode alone, for daemons that know no endpoint
  // 'default'.
  return { mode: first.name, endpoints: only && !isUserDefined(first.name) ? {} : all };
}

const isUserDefined = (name: string) => !/^(default|bridge|host|none|container:.*)$/.test(name);

function readNetwork(text: string): Attachment {
  const network: Attachment = { name: text, aliases: [], driverOpts: {}, linkLocal: [] };
  if (!text.includes('=')) return network;
  network.name = '';
  for (const field of decodeCsvLine(text)) {
    const [name, given = ''] = splitAt(field, '=');
    const [key, value] = [name.trim().toLowerCase(), given.trim()];
    if (key === '' || value === '')
      throw beforeProgram(`invalid field ${field} in --network: it must be KEY=VALUE`);
    if (key === 'name') network.name = value;
    else if (key === 'alias') network.aliases.push(value);
    else if (key === 'ip') network.ip = readAddress(value);
    else if (key === 'ip6') network.ip6 = readAddress(value);
    else if (key === 'mac-address') network.mac = readMacAddress(value);
    else if (key === 'link-local-ip') network.linkLocal.push(readAddress(value));
    else if (key === 'driver-opt') {
      const [name = '', ...rest] = value.split('=');
      network.driverOpts[name] = rest.join('=');
    } else throw beforeProgram(`invalid field key ${key} in --network`);
  }
  if (network.name === '') throw beforeProgram(`network name/id is not specified: ${text}`);
  return network;
}

function applyFlags(network: Attachment, flags: CreateFlags): void {
  const once = (what: string, given: boolean, inNetwork: boolean) => {
    if (given && inNetwork)
      throw beforeProgram(`conflicting options: cannot specify both --${what} and per-network ${what}`);
  };
  const aliases = [...flags['net-alias'], ...flags['network-alias']];
  once('network-alias', aliases.length > 0, network.aliases.length > 0);
  once('ip', flags.ip !== undefined, network.ip !== undefined);
  once('ip6', flags.ip6 !== undefined, network.ip6 !== undefined);
  once('mac-address', flags['mac-address'] !== undefined, network.mac !== undefined);
  network.aliases.push(...aliases);
  network.linkLocal.push(...flags['link-local-ip'].map(readAddress));
  if (flags.ip !== undefined) network.ip = readAddress(flags.ip);
  if (flags.ip6 !== undefined) network.ip6 = readAddress(flags.ip6);
  if (flags['mac-address'] !== undefined) network.mac = flags['mac-address'];
}

function settings({ aliases, driverOpts, ip, ip6, mac, linkLocal }: Attachment): EndpointSettings {
  const ipam = defined<NonNullable<EndpointSettings['IPAMConfig']>>({
    IPv4Address: ip,
    IPv6Address: ip6,
    LinkLocalIPs: unlessEmpty(linkLocal),
  });
  return defined({
    Aliases: unlessEmpty(aliases),
    DriverOpts: unlessEmpty(driverOpts),
    MacAddress: mac,
    IPAMConfig: unlessEmpty(ipam),
  });
}
