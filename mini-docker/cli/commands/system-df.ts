import type { ContainerSummary } from '../../formats/engine-api/containers.ts';
import type { DiskUsage } from '../../formats/engine-api/system.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { toggle } from '../flags/flags.ts';
import { formatFlag, printListing } from '../show/listing.ts';
import { write } from '../show/output.ts';
import { encodeTable } from '../show/table.ts';
import { imageColumns, namesOf } from './images.ts';
import { containerColumns } from './ps.ts';

interface Row {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
  percent: boolean;
}

interface VolumeUsage {
  Name: string;
  UsageData?: { RefCount: number; Size: number } | null;
}

interface CacheUsage {
  Size: number;
  InUse: boolean;
}

export const systemDf = command({
  usage: '[OPTIONS]',
  flags: { format: formatFlag(), verbose: toggle('Show detailed information on space usage', 'v') },
  examples: [['system df', 'Show disk usage and what can be reclaimed']],
  async run({ flags, daemon }) {
    const usage = await daemon.json<DiskUsage>('GET', '/system/df');
    if (flags.verbose) {
      write(describeEach(usage));
      return 0;
    }
    await printListing({
      columns: {
        Active: { header: 'ACTIVE', value: row => String(row.active) },
        Reclaimable: { header: 'RECLAIMABLE', value: reclaimable },
        Size: { header: 'SIZE', value: row => encodeSize(row.size, 4) },
        TotalCount: { header: 'TOTAL', value: row => String(row.total) },
        Type: { header: 'TYPE', value: row => row.type },
      },
      rows: summarise(usage),
      shown: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
      format: flags.format,
    });
  },
});

function reclaimable({ size, reclaimable, percent }: Row): string {
  const share = percent && size > 0 ? ` (${Math.floor((reclaimable / size) * 100)}%)` : '';
  return encodeSize(reclaimable, 4) + share;
}

function summarise({ LayersSize, Images, Containers, Volumes, BuildCache }: DiskUsage): Row[] {
  const sum = (sizes: number[]) => sizes.reduce((total, each) => total + each, 0);
  const images = Images ?? [];
  const used = images.filter(each => each.Containers > 0);
  const usedSize = sum(used.map(each => each.Size - Math.max(each.SharedSize, 0)));
  const containers = Containers ?? [];
  const running = containers.filter(each => /^(running|paused|restarting)$/.test(each.State));
  const stopped = containers.filter(each => !running.includes(each));
  const volumes = (Volumes ?? []) as VolumeUsage[];
  const sizeOf = (volume: VolumeUsage) => Math.max(volume.UsageData?.Size ?? 0, 0);
  const unused = volumes.filter(each => (each.UsageData?.RefCount ?? 0) === 0);
  const cache = (BuildCache ?? []) as CacheUsage[];
  const percent = true;
  return [
    {
      type: 'Images',
      total: images.length,
      active: used.length,
      size: LayersSize,
      reclaimable: Math.max(LayersSize - usedSize, 0),
      percent,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: running.length,
      size: sum(containers.map(each => each.SizeRw ?? 0)),
      reclaimable: sum(stopped.map(each => each.SizeRw ?? 0)),
      percent,
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.length - unused.length,
      size: sum(volumes.map(sizeOf)),
      reclaimable: sum(unused.map(sizeOf)),
      percent,
    },
    {
      type: 'Build Cache',
      total: cache.length,
      active: cache.filter(each => each.InUse).length,
      size: sum(cache.map(each => each.Size)),
      reclaimable: sum(cache.filter(each => !each.InUse).map(each => each.Size)),
      percent: false,
    },
  ];
}

function describeEach({ Images, Containers, Volumes }: DiskUsage): string {
  const now = new Date();
  const image = imageColumns(true, now);
  const container = {
    ...containerColumns(true, now),
    Size: { header: 'SIZE', value: ({ SizeRw = 0 }: ContainerSummary) => encodeSize(SizeRw, 4) },
  };
  const table = (
    columns: Record<string, { header: string; value(row: never): unknown }>,
    names: string[],
    rows: unknown[],
  ) =>
    encodeTable([
      names.map(name => columns[name]!.header),
      ...rows.map(row => names.map(name => String(columns[name]!.value(row as never)))),
    ]);
  const volume = {
    Name: { header: 'VOLUME NAME', value: (each: VolumeUsage) => each.Name },
    Links: { header: 'LINKS', value: (each: VolumeUsage) => String(each.UsageData?.RefCount ?? 'N/A') },
    Size: {
      header: 'SIZE',
      value: (each: VolumeUsage) => encodeSize(Math.max(each.UsageData?.Size ?? 0, 0), 4),
    },
  };
  return [
    'Images space usage:\n\n',
    table(
      image,
      ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
      (Images ?? []).flatMap(each => namesOf(each)),
    ),
    '\nContainers space usage:\n\n',
    table(
      container,
      ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
      Containers ?? [],
    ),
    '\nLocal Volumes space usage:\n\n',
    table(volume, ['Name', 'Links', 'Size'], Volumes ?? []),
  ].join('');
}
