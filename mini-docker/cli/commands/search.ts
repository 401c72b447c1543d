import type { ImageFound } from '../../formats/engine-api/images.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { authHeader } from '../daemon/registry-config.ts';
import { filterFlag } from '../flags/filter.ts';
import { integer, toggle } from '../flags/flags.ts';
import { type Columns, ellipsis, formatFlag, printListing } from '../show/listing.ts';

export const search = command({
  usage: '[OPTIONS] TERM',
  description: 'Searches Docker Hub, or another registry with HOST/TERM.',
  flags: {
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: formatFlag(),
    limit: integer('int', 'Max number of search results'),
    'no-trunc': toggle("Don't truncate output"),
  },
  examples: [
    ['search --filter is-official=true redis', 'Search Docker Hub'],
    ['search localhost:5000/team', 'Search your own registry'],
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
