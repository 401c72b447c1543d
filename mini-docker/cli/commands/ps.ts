import { describeDuration } from '../../formats/durations.ts';
import type { ContainerSummary } from '../../formats/engine-api/containers.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { filterFlag } from '../flags/filter.ts';
import { integer, toggle } from '../flags/flags.ts';
import { describePorts } from '../run/ports.ts';
import { type Columns, ellipsis, formatFlag, joinLabels, localTime, printListing } from '../show/listing.ts';

export const ps = command({
  usage: '[OPTIONS]',
  flags: {
    all: toggle('Show all containers', 'a'),
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: formatFlag(),
    last: integer('int', 'Show n last created containers (includes all states)', 'n'),
    latest: toggle('Show the latest created container (includes all states)', 'l'),
    'no-trunc': toggle("Don't truncate output"),
    quiet: toggle('Only display IDs', 'q'),
    size: toggle('Display total file sizes', 's'),
  },
  examples: [
    ['ps -a', 'List all containers'],
    ['ps -aq -f status=exited', 'List the IDs of exited containers'],
    ["ps --format 'table {{.Names}}\\t{{.Status}}'", 'Choose the columns'],
  ],
  async run({ flags, daemon }) {
    const limit = flags.latest ? 1 : flags.last !== undefined && flags.last > 0 ? flags.last : undefined;
    const size = flags.size || /\{\{.*(\.Size|json)\b|^json$/.test(flags.format ?? '');
    const rows = await daemon.json<ContainerSummary[]>('GET', '/containers/json', {
      query: {
        all: flags.all || undefined,
        limit,
        size: size || undefined,
        filters: encodeFilters(flags.filter),
      },
    });
    await printListing({
      columns: containerColumns(!flags['no-trunc'], new Date()),
      rows,
      shown: [
        'ID',
        'Image',
        'Command',
        'RunningFor',
        'Status',
        'Ports',
        'Names',
        ...(flags.size ? ['Size'] : []),
      ],
      format: flags.format,
      quiet: flags.quiet && 'ID',
    });
  },
});

export function containerColumns(cut: boolean, now: Date): Columns<ContainerSummary> {
  return {
    ID: { header: 'CONTAINER ID', value: each => (cut ? shortId(each.Id) : each.Id) },
    Image: { header: 'IMAGE', value: each => imageName(each, cut) },
    Command: {
      header: 'COMMAND',
      value: each => JSON.stringify(cut ? ellipsis(each.Command, 20) : each.Command),
    },
    CreatedAt: { header: 'CREATED AT', value: each => localTime(each.Created) },
    RunningFor: {
      header: 'CREATED',
      value: each => `${describeDuration(now.getTime() / 1000 - each.Created)} ago`,
    },
    Ports: { header: 'PORTS', value: each => describePorts(each.Ports ?? []) },
    State: { header: 'STATE', value: each => each.State },
    Status: { header: 'STATUS', value: each => each.Status },
    Size: { header: 'SIZE', value: describeSize },
    Names: { header: 'NAMES', value: each => names(each, cut) },
    Labels: { header: 'LABELS', value: each => joinLabels(each.Labels) },
    Label: { header: 'LABEL', method: true, value: each => (name: string) => each.Labels?.[name] ?? '' },
    LocalVolumes: {
      header: 'LOCAL VOLUMES',
      value: each => String((each.Mounts ?? []).filter(mount => mount.Driver === 'local').length),
    },
    Mounts: {
      header: 'MOUNTS',
      value: each =>
        (each.Mounts ?? [])
          .map(({ Name, Source }) => (cut ? ellipsis(Name || Source, 15) : Name || Source))
          .join(','),
    },
    Networks: {
      header: 'NETWORKS',
      value: each =>
        Object.keys(each.NetworkSettings?.Networks ?? {})
          .sort()
          .join(','),
    },
  };
}

/** An image that has lost its name is shown by its id. */
function imageName({ Image, ImageID }: ContainerSummary, cut: boolean): string {
  if (Image === '') return '<no image>';
  if (!cut) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(Image);
  return Image.replace(/@sha256:[0-9a-f]{64}$/, '');
}

function describeSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  return SizeRootFs > 0 ? `${encodeSize(SizeRw)} (virtual ${encodeSize(SizeRootFs)})` : encodeSize(SizeRw);
}

/** Names of links ('/web/db') are shown only with --no-trunc. */
function names({ Names }: ContainerSummary, cut: boolean): string {
  const all = (Names ?? []).map(name => name.replace(/^\//, ''));
  return (cut ? all.filter(name => !name.includes('/')) : all).join(',');
}
