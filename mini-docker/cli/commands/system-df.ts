import { describeDuration } from '../../formats/durations.ts';
import type { ContainerSummary } from '../../formats/engine-api/containers.ts';
import type { DiskUsage } from '../../formats/engine-api/system.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { toggle } from '../flags/flags.ts';
import { type Columns, fieldsOf, formatFlag, formatListing, printListing } from '../show/listing.ts';
import { write } from '../show/output.ts';
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
  ID: string;
  Type: string;
  Description: string;
  Size: number;
  InUse: boolean;
  Shared: boolean;
  CreatedAt: string;
  LastUsedAt?: string;
  UsageCount: number;
}

/** What templates for `-v` find: a list of each kind. */
const lists: Columns<Record<string, Part>> = Object.fromEntries(
  ['Images', 'Containers', 'Volumes', 'BuildCache'].map(name => [
    name,
    {
      header: name.toUpperCase(),
      value: parts => parts[name]!.rows.map(row => fieldsOf(parts[name]!.columns, row as never)),
    },
  ]),
);

export const systemDf = command({
  usage: '[OPTIONS]',
  flags: { format: formatFlag(), verbose: toggle('Show detailed information on space usage', 'v') },
  examples: [['system df', 'Show disk usage and what can be reclaimed']],
  async run({ flags, daemon }) {
    const usage = await daemon.json<DiskUsage>('GET', '/system/df');
    if (flags.verbose) {
      const parts = partsOf(usage, flags.format === undefined);
      if (flags.format === undefined) write(await describeEach(parts));
      else
        await printListing({
          columns: lists,
          rows: [parts],
          shown: Object.keys(lists),
          format: flags.format,
        });
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

/** One of the tables of `-v`. */
interface Part {
  heading: string;
  columns: Columns<never>;
  shown: string[];
  rows: readonly unknown[];
}

/** @param cut whether ids and commands are shortened, for people */
function partsOf({ Images, Containers, Volumes, BuildCache }: DiskUsage, cut: boolean): Record<string, Part> {
  const now = new Date();
  const since = (date: string | undefined) =>
    date ? `${describeDuration((now.getTime() - Date.parse(date)) / 1000)} ago` : '';
  const volume: Columns<VolumeUsage> = {
    Name: { header: 'VOLUME NAME', value: each => each.Name },
    Links: { header: 'LINKS', value: each => String(each.UsageData?.RefCount ?? 'N/A') },
    Size: { header: 'SIZE', value: each => encodeSize(Math.max(each.UsageData?.Size ?? 0, 0), 4) },
  };
  const cache: Columns<CacheUsage> = {
    ID: { header: 'CACHE ID', value: each => (cut ? each.ID.slice(0, 12) : each.ID) },
    CacheType: { header: 'CACHE TYPE', value: each => each.Type },
    Description: { header: 'DESCRIPTION', value: each => each.Description },
    Size: { header: 'SIZE', value: each => encodeSize(each.Size, 3) },
    CreatedSince: { header: 'CREATED', value: each => since(each.CreatedAt) },
    LastUsedSince: { header: 'LAST USED', value: each => since(each.LastUsedAt) },
    UsageCount: { header: 'USAGE', value: each => String(each.UsageCount) },
    InUse: { header: 'IN USE', value: each => String(each.InUse) },
    Shared: { header: 'SHARED', value: each => String(each.Shared) },
  };
  const container: Columns<ContainerSummary> = {
    ...containerColumns(cut, now),
    Size: { header: 'SIZE', value: ({ SizeRw = 0 }) => encodeSize(SizeRw, 4) },
  };
  const caches = (BuildCache ?? []) as CacheUsage[];
  const cached = encodeSize(
    caches.reduce((sum, each) => sum + each.Size, 0),
    4,
  );
  return {
    Images: {
      heading: 'Images space usage:',
      columns: imageColumns(cut, now),
      shown: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
      rows: (Images ?? []).flatMap(each => namesOf(each)),
    },
    Containers: {
      heading: 'Containers space usage:',
      columns: container,
      shown: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
      rows: Containers ?? [],
    },
    Volumes: {
      heading: 'Local Volumes space usage:',
      columns: volume,
      shown: ['Name', 'Links', 'Size'],
      rows: Volumes ?? [],
    },
    BuildCache: {
      heading: `Build cache usage: ${cached}`,
      columns: cache,
      shown: ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared'],
      rows: caches,
    },
  };
}

async function describeEach(parts: Record<string, Part>): Promise<string> {
  const texts = Object.values(parts).map(
    async ({ heading, ...part }) =>
      `${heading}\n\n${await formatListing({ ...part, rows: part.rows as never[], format: undefined })}`,
  );
  return (await Promise.all(texts)).join('\n');
}
