import type { ImageFound } from '../../formats/engine-api/images.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { authHeader } from '../daemon/registry-config.ts';
import { filterFlag } from '../flags/filter.ts';
import { integer, toggle } from '../flags/flags.ts';
import { type Columns, ellipsis, formatFlag, printListing } from '../show/listing.ts';

export const search = command({
  usage: '[OPTIONS] TERM',
  description: 'Asks Docker Hub, or with HOST/TERM another registry.',
  flags: {
    filter: filterFlag('Only those: stars=3, is-official=true', 'f'),
    format: formatFlag(),
    limit: integer('int', 'How many at most (25)'),
    'no-trunc': toggle('Nothing cut short'),
  },
  least: 1,
  most: 1,
  examples: [
    ['search --filter is-official=true redis', 'On Docker Hub'],
    ['search localhost:5000/team', 'In a registry of your own'],
  ],
  async run({ flags, args, daemon }) {
    const term = args[0]!;
    const domain = /^([^/]*[.:][^/]*|localhost)\//.exec(term)?.[1] ?? 'docker.io';
    const rows = await daemon.json<ImageFound[]>('GET', '/images/search', {
      query: { term, limit: flags.limit ?? 25, filters: encodeFilters(flags.filter) },
      headers: await authHeader(domain, process.env),
    });
    await printListing({
      columns: columns(!flags['no-trunc']),
      rows: rows.sort((a, b) => b.star_count - a.star_count),
      shown: ['Name', 'Description', 'StarCount', 'IsOfficial'],
      format: flags.format,
    });
    return 0;
  },
});

const DESCRIPTION = 45;

const columns = (cut: boolean): Columns<ImageFound> => ({
  Description: {
    header: 'DESCRIPTION',
    value: ({ description }) => {
      const text = description.replaceAll('\n', ' ').replaceAll('\r', ' ');
      return cut ? ellipsis(text, DESCRIPTION) : text;
    },
  },
  IsAutomated: { header: 'AUTOMATED', value: each => (each.is_automated ? '[OK]' : '') },
  IsOfficial: { header: 'OFFICIAL', value: each => (each.is_official ? '[OK]' : '') },
  Name: { header: 'NAME', value: each => each.name },
  StarCount: { header: 'STARS', value: each => String(each.star_count) },
});
