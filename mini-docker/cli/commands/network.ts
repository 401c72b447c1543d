import { command } from '../command.ts';
import { encodeFilters } from '../daemon-client.ts';
import { filterFlag } from '../filter-flag.ts';
import { readPairs } from '../flag-values.ts';
import { list, text, toggle } from '../flags.ts';
import { type Columns, formatFlag, joinLabels, printListing, shortId } from '../listing.ts';
import { print, printError } from '../output.ts';
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

export const networkList = command({
  usage: '[OPTIONS]',
  flags: {
    filter: filterFlag('Only those: name=front, driver=bridge, label=a=b, …', 'f'),
    format: formatFlag(),
    'no-trunc': toggle('Nothing cut short'),
    quiet: toggle('Only ids', 'q'),
  },
  least: 0,
  most: 0,
  examples: [['network ls', 'All networks']],
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
    return 0;
  },
});

export const networkCreate = command({
  usage: '[OPTIONS] NETWORK',
  flags: {
    driver: text('string', 'What makes it (bridge)', 'd'),
    gateway: list('list', "The bridge's own address"),
    internal: toggle('No way out'),
    'ip-range': list('list', 'Give addresses only from this part'),
    label: list('list', 'Label, KEY=VALUE'),
    opt: list('map', 'Option for the driver, KEY=VALUE', 'o'),
    subnet: list('list', 'Its addresses: 10.1.0.0/24'),
  },
  least: 1,
  most: 1,
  examples: [
    ['network create front', 'A network whose containers find each other by name'],
    ['network create --subnet 10.9.0.0/24 back', 'With chosen addresses'],
  ],
  async run({ flags, args, daemon }) {
    const config = flags.subnet.map((Subnet, index) => ({
      Subnet,
      ...(flags.gateway[index] === undefined ? {} : { Gateway: flags.gateway[index] }),
      ...(flags['ip-range'][index] === undefined ? {} : { IPRange: flags['ip-range'][index] }),
    }));
    const json = {
      Name: args[0],
      CheckDuplicate: true,
      Driver: flags.driver ?? 'bridge',
      Internal: flags.internal,
      IPAM: { Driver: 'default', Config: config },
      Options: readPairs(flags.opt),
      Labels: readPairs(flags.label),
    };
    const made = await daemon.json<{ Id: string; Warning?: string }>('POST', '/networks/create', { json });
    if (made.Warning) printError(`WARNING: ${made.Warning}`);
    print(made.Id);
    return 0;
  },
});

export const networkRemove = command({
  usage: 'NETWORK [NETWORK...]',
  flags: { force: toggle('No error when there is none', 'f') },
  least: 1,
  examples: [['network rm front', 'Remove it']],
  run: ({ args, daemon }) =>
    forEachTarget(args, async each => {
      await daemon.text('DELETE', `/networks/${encodeURIComponent(each)}`);
      return undefined;
    }),
});
