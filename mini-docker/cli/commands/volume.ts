import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { filterFlag } from '../flags/filter.ts';
import { list, text, toggle } from '../flags/flags.ts';
import { readPairs } from '../flags/values.ts';
import { type Columns, formatFlag, joinLabels, printListing } from '../show/listing.ts';
import { print } from '../show/output.ts';
import { forEachTarget } from '../targets.ts';

export interface Volume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  Scope: string;
  Labels: Record<string, string> | null;
}

export const volumeLs = command({
  usage: '[OPTIONS]',
  flags: {
    filter: filterFlag("Provide filter values (e.g. 'dangling=true')", 'f'),
    format: formatFlag(),
    quiet: toggle('Only display volume names', 'q'),
  },
  examples: [['volume ls -f dangling=true', 'List unused volumes']],
  async run({ flags, daemon }) {
    const { Volumes } = await daemon.json<{ Volumes: Volume[] | null }>('GET', '/volumes', {
      query: { filters: encodeFilters(flags.filter) },
    });
    await printVolumes(Volumes ?? [], flags);
  },
});

export async function printVolumes(
  volumes: readonly Volume[],
  { format, quiet }: { format: string | undefined; quiet: boolean },
): Promise<void> {
  const unknown = (header: string) => ({ header, value: () => 'N/A' });
  const columns: Columns<Volume> = {
    Availability: unknown('AVAILABILITY'),
    Driver: { header: 'DRIVER', value: each => each.Driver },
    Group: unknown('GROUP'),
    Label: { header: 'LABEL', method: true, value: each => (name: string) => each.Labels?.[name] ?? '' },
    Labels: { header: 'LABELS', value: each => joinLabels(each.Labels) },
    Links: unknown('LINKS'),
    Mountpoint: { header: 'MOUNTPOINT', value: each => each.Mountpoint },
    Name: { header: 'VOLUME NAME', value: each => each.Name },
    Scope: { header: 'SCOPE', value: each => each.Scope },
    Size: unknown('SIZE'),
    Status: unknown('STATUS'),
  };
  const rows = [...volumes].sort((a, b) => (a.Name < b.Name ? -1 : 1));
  await printListing({
    columns,
    rows,
    shown: ['Driver', 'Name'],
    format,
    quiet: quiet && 'Name',
  });
}

export const volumeCreate = command({
  usage: '[OPTIONS] [VOLUME]',
  flags: {
    driver: text('string', 'Specify volume driver name', 'd'),
    label: list('list', 'Set metadata (KEY=VALUE)'),
    opt: list('map', 'Set driver specific options (KEY=VALUE)', 'o'),
  },
  examples: [
    ['volume create data', 'Create a volume'],
    ['run -v data:/var/lib/x busybox ls /var/lib/x', 'Use the volume in a container'],
  ],
  async run({ flags, args, daemon }) {
    const json = {
      Name: args[0] ?? '',
      Driver: flags.driver ?? 'local',
      DriverOpts: readPairs(flags.opt),
      Labels: readPairs(flags.label),
    };
    print((await daemon.json<{ Name: string }>('POST', '/volumes/create', { json })).Name);
  },
});

export const volumeRm = command({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  flags: { force: toggle('Force the removal of one or more volumes', 'f') },
  examples: [['volume rm data', 'Remove a volume and its contents']],
  run: ({ flags, args, daemon }) =>
    forEachTarget(args, async each => {
      await daemon.text('DELETE', `/volumes/${encodeURIComponent(each)}`, {
        query: { force: flags.force || undefined },
      });
    }),
});
