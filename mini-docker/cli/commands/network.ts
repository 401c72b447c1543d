import { type Loose, unlessEmpty } from '../../formats/defined.ts';
import type { EndpointSettings } from '../../formats/engine-api/containers.ts';
import type { IpamConfig } from '../../formats/engine-api/networks.ts';
import type { NetworkMap } from '../../formats/network-map.ts';
import type { MissedPackets, TracedPacket } from '../../formats/network-trace.ts';
import { shortId } from '../../formats/short-id.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { CommandError, ifThere } from '../errors.ts';
import { filterFlag } from '../flags/filter.ts';
import { integer, list, text, toggle, value, values } from '../flags/flags.ts';
import { readAddress, readPairs } from '../flags/values.ts';
import { type Columns, formatFlag, joinLabels, printListing } from '../show/listing.ts';
import { drawNetworkMap } from '../show/network-map.ts';
import { print, printError, write } from '../show/output.ts';
import { missedText, packetPath } from '../show/packet-path.ts';
import { forEachTarget } from '../targets.ts';

interface NetworkSummary {
  Id: string;
  Name: string;
  Driver: string;
  Scope: string;
  Created: string;
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  Internal?: boolean;
  Labels: Record<string, string> | null;
}

export const networkLs = command({
  usage: '[OPTIONS]',
  flags: {
    filter: filterFlag("Provide filter values (e.g. 'driver=bridge')", 'f'),
    format: formatFlag(),
    'no-trunc': toggle("Don't truncate output"),
    quiet: toggle('Only display IDs', 'q'),
  },
  examples: [['network ls', 'List all networks']],
  async run({ flags, daemon }) {
    const networks = await daemon.json<NetworkSummary[]>('GET', '/networks', {
      query: { filters: encodeFilters(flags.filter) },
    });
    const columns: Columns<NetworkSummary> = {
      CreatedAt: { header: 'CREATED AT', value: each => each.Created },
      Driver: { header: 'DRIVER', value: each => each.Driver },
      ID: { header: 'NETWORK ID', value: each => (flags['no-trunc'] ? each.Id : shortId(each.Id)) },
      IPv4: { header: 'IPV4', value: each => String(each.EnableIPv4 ?? true) },
      IPv6: { header: 'IPV6', value: each => String(each.EnableIPv6 ?? false) },
      Internal: { header: 'INTERNAL', value: each => String(each.Internal ?? false) },
      Label: { header: 'LABEL', method: true, value: each => (name: string) => each.Labels?.[name] ?? '' },
      Labels: { header: 'LABELS', value: each => joinLabels(each.Labels) },
      Name: { header: 'NAME', value: each => each.Name },
      Scope: { header: 'SCOPE', value: each => each.Scope },
    };
    await printListing({
      columns,
      rows: networks.sort((a, b) => (a.Name < b.Name ? -1 : 1)),
      shown: ['ID', 'Name', 'Driver', 'Scope'],
      format: flags.format,
      quiet: flags.quiet && 'ID',
    });
  },
});

export const networkCreate = command({
  usage: '[OPTIONS] NETWORK',
  flags: {
    attachable: toggle('Changes nothing here: that is for swarms'),
    'aux-address': list('map', 'Auxiliary IPv4 or IPv6 addresses used by Network driver'),
    'config-from': text('string', 'The network from which to copy the configuration'),
    'config-only': toggle('Create a configuration only network'),
    driver: text('string', 'Driver to manage the Network', 'd'),
    gateway: list('list', 'IPv4 or IPv6 Gateway for the master subnet'),
    internal: toggle('Restrict external access to the network'),
    'ip-range': list('list', 'Allocate container ip from a sub-range'),
    'ipam-driver': text('string', 'IP Address Management Driver'),
    'ipam-opt': list('map', 'Set IPAM driver specific options'),
    ipv6: toggle('Enable IPv6 networking'),
    label: list('list', 'Set metadata (KEY=VALUE)'),
    opt: list('map', 'Set driver specific options', 'o'),
    scope: text('string', "Control the network's scope"),
    subnet: list('list', 'Subnet in CIDR format that represents a network segment'),
  },
  examples: [
    ['network create front', 'Create a network whose containers find each other by name'],
    ['network create --subnet 10.9.0.0/24 back', 'Choose the subnet'],
    [
      'network create --internal -o mtu=1400 quiet',
      'Create a network without external access and with a smaller MTU',
    ],
  ],
  async run({ flags, args, daemon }) {
    const json = {
      Name: args[0],
      CheckDuplicate: true,
      Driver: flags.driver ?? 'bridge',
      ConfigOnly: flags['config-only'],
      ConfigFrom: flags['config-from'] === undefined ? undefined : { Network: flags['config-from'] },
      Scope: flags.scope,
      Internal: flags.internal,
      Attachable: flags.attachable,
      EnableIPv6: flags.ipv6,
      IPAM: {
        Driver: flags['ipam-driver'] ?? 'default',
        Options: readPairs(flags['ipam-opt']),
        Config: addressPools({
          subnets: flags.subnet,
          gateways: flags.gateway,
          ranges: flags['ip-range'],
          reserved: flags['aux-address'],
        }),
      },
      Options: readPairs(flags.opt),
      Labels: readPairs(flags.label),
    };
    const made = await daemon.json<{ Id: string; Warning?: string }>('POST', '/networks/create', { json });
    if (made.Warning) printError(`WARNING: ${made.Warning}`);
    print(made.Id);
  },
});

export const networkRm = command({
  usage: 'NETWORK [NETWORK...]',
  flags: { force: toggle('Force the removal of one or more volumes', 'f') },
  examples: [['network rm front', 'Remove it']],
  run: ({ flags, args, daemon }) =>
    forEachTarget(args, async each => {
      const answer = daemon.text('DELETE', `/networks/${encodeURIComponent(each)}`);
      await (flags.force ? ifThere(answer) : answer);
    }),
});

export const networkConnect = command({
  usage: '[OPTIONS] NETWORK CONTAINER',
  flags: {
    alias: list('list', 'Add network-scoped alias for the container'),
    'driver-opt': list('list', 'Set driver specific options (KEY=VALUE)'),
    ip: value('ip', 'IPv4 address (e.g., 172.30.100.104)', readAddress),
    ip6: value('ip', 'IPv6 address (e.g., 2001:db8::33)', readAddress),
    link: list('list', 'Add link to another container'),
    'link-local-ip': values('list', 'Add a link-local address for the container', readAddress),
  },
  examples: [
    ['network connect back web', 'Connect web to another network'],
    ['network connect --ip 10.9.0.5 --alias api back web', 'Choose its address and an alias'],
  ],
  async run({ flags, args, daemon }) {
    const { alias, ip, ip6, link, 'link-local-ip': linkLocal } = flags;
    const settings: Loose<EndpointSettings> = {
      IPAMConfig: { IPv4Address: ip, IPv6Address: ip6, LinkLocalIPs: unlessEmpty(linkLocal) },
      Aliases: unlessEmpty(alias),
      Links: unlessEmpty(link.map(each => (each.includes(':') ? each : `${each}:${each}`))),
      DriverOpts: unlessEmpty(readPairs(flags['driver-opt'])),
    };
    const json = { Container: args[1], EndpointConfig: settings };
    await daemon.text('POST', `/networks/${encodeURIComponent(args[0]!)}/connect`, { json });
  },
});

export const networkDisconnect = command({
  usage: '[OPTIONS] NETWORK CONTAINER',
  flags: { force: toggle('Force the container to disconnect from a network', 'f') },
  examples: [['network disconnect back web', 'Disconnect web from the network']],
  async run({ flags, args, daemon }) {
    const json = { Container: args[1], Force: flags.force };
    await daemon.text('POST', `/networks/${encodeURIComponent(args[0]!)}/disconnect`, { json });
  },
});

export const networkMap = command({
  usage: '',
  description: "Shows the kernel's view: bridges, veth pairs, addresses and published ports.",
  flags: { format: text('string', 'How to print: a picture, or json') },
  examples: [['network map', 'Draw all networks and the containers on them']],
  async run({ flags, daemon }) {
    const found = await daemon.json<NetworkMap>('GET', '/mini-docker/network-map');
    if (flags.format === 'json') print(JSON.stringify(found));
    else write(drawNetworkMap(found));
  },
});

export const networkTrace = command({
  usage: '[OPTIONS] CONTAINER',
  description:
    'Follows packets from and to a container through bridges, rules and translations, and says where each ends. Ctrl-C ends it.',
  flags: {
    count: integer('int', 'End after this many packets', 'n'),
    json: toggle('Print JSON, one packet a line'),
    port: integer('port', "Only this port of the container, and the host's ports published for it", 'p'),
  },
  examples: [
    ['network trace web', 'Follow all packets of a container'],
    ['network trace --port 80 --count 1 web', 'Why does this request not arrive?'],
  ],
  async run({ flags, args, daemon }) {
    const query = { container: args[0], port: flags.port };
    let left = flags.count ?? Number.POSITIVE_INFINITY;
    const packets = daemon.jsonStream<TracedPacket | MissedPackets>('GET', '/mini-docker/network-trace', {
      query,
    });
    for await (const packet of packets) {
      if (flags.json) print(JSON.stringify(packet));
      else write('missed' in packet ? missedText(packet) : packetPath(packet));
      if (!('missed' in packet) && --left <= 0) break;
    }
  },
});

/**
 * Groups the options of each subnet, as the daemon wants them. The address family identifies it, since there
 * is usually one subnet per family.
 */
function addressPools(given: {
  subnets: string[];
  gateways: string[];
  ranges: string[];
  reserved: string[];
}) {
  const { subnets, gateways, ranges, reserved } = given;
  const isV6 = (address: string) => address.includes(':');
  const pools: IpamConfig[] = subnets.map(Subnet => ({ Subnet }));
  const poolFor = (address: string, what: string, key: 'Gateway' | 'IPRange' | undefined): IpamConfig => {
    const fitting = pools.filter(pool => isV6(pool.Subnet!) === isV6(address));
    const found = key === undefined ? fitting[0] : fitting.find(pool => pool[key] === undefined);
    if (found === undefined) throw new CommandError(`no matching subnet for ${what} ${address}`);
    return found;
  };
  for (const gateway of gateways) poolFor(gateway, 'gateway', 'Gateway').Gateway = gateway;
  for (const range of ranges) poolFor(range, 'range', 'IPRange').IPRange = range;
  for (const [name, address] of Object.entries(readPairs(reserved))) {
    const pool = poolFor(address, 'aux-address', undefined);
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return pools;
}
