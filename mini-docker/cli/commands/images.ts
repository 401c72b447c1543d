import { describeDuration } from '../../formats/durations.ts';
import type { ImageSummary } from '../../formats/engine-api/images.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { encodeFilters } from '../daemon/client.ts';
import { filterFlag } from '../flags/filter.ts';
import { toggle } from '../flags/flags.ts';
import { type Columns, formatFlag, localTime, printListing } from '../show/listing.ts';

export const images = command({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  flags: {
    all: toggle('Show all images', 'a'),
    digests: toggle('Show digests'),
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: formatFlag(),
    'no-trunc': toggle("Don't truncate output"),
    quiet: toggle('Only display IDs', 'q'),
  },
  examples: [
    ['images', 'List everything'],
    ["images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", 'Choose the columns'],
  ],
  async run({ flags, args, daemon }) {
    const filters = [...flags.filter, ...args.map(reference => ['reference', reference] as const)];
    const list = await daemon.json<ImageSummary[]>('GET', '/images/json', {
      query: { all: flags.all || undefined, filters: encodeFilters(filters) },
    });
    const digests = flags.digests || /\{\{.*\.Digest\b/.test(flags.format ?? '');
    const rows = list.flatMap(image => namesOf(image, digests));
    await printListing({
      columns: imageColumns(!flags['no-trunc'], new Date()),
      rows,
      shown: ['Repository', 'Tag', ...(flags.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'],
      format: flags.format,
      quiet: flags.quiet && 'ID',
    });
  },
});

export interface NamedImage {
  image: ImageSummary;
  repository: string;
  tag: string;
  digest: string;
}

const NONE = '<none>';

export function namesOf(image: ImageSummary, digests = false): NamedImage[] {
  const tags = (image.RepoTags ?? []).filter(name => name !== '<none>:<none>');
  const byDigest = (image.RepoDigests ?? []).filter(name => name !== '<none>@<none>');
  const digestOf = new Map(byDigest.map(name => name.split('@') as [string, string]));
  const rows = tags.map(name => {
    const colon = name.lastIndexOf(':');
    const repository = name.slice(0, colon);
    const digest = (digests && digestOf.get(repository)) || NONE;
    return { image, repository, tag: name.slice(colon + 1), digest };
  });
  if (rows.length > 0) return rows;
  const [repository = NONE, digest = NONE] = byDigest[0]?.split('@') ?? [];
  return [{ image, repository, tag: NONE, digest }];
}

export function imageColumns(cut: boolean, now: Date): Columns<NamedImage> {
  const count = (value: number, text: string) => (value === -1 ? 'N/A' : text);
  return {
    Containers: {
      header: 'CONTAINERS',
      value: ({ image }) => count(image.Containers ?? -1, String(image.Containers)),
    },
    CreatedAt: { header: 'CREATED AT', value: ({ image }) => localTime(image.Created) },
    CreatedSince: {
      header: 'CREATED',
      value: ({ image: { Created } }) =>
        Created > 0 ? `${describeDuration(now.getTime() / 1000 - Created)} ago` : 'N/A',
    },
    Digest: { header: 'DIGEST', value: each => each.digest },
    ID: { header: 'IMAGE ID', value: ({ image }) => (cut ? shortId(image.Id) : image.Id) },
    Repository: { header: 'REPOSITORY', value: each => each.repository },
    SharedSize: {
      header: 'SHARED SIZE',
      value: ({ image }) => count(image.SharedSize, encodeSize(image.SharedSize, 4)),
    },
    Size: { header: 'SIZE', value: ({ image }) => encodeSize(image.Size) },
    Tag: { header: 'TAG', value: each => each.tag },
    UniqueSize: {
      header: 'UNIQUE SIZE',
      value: ({ image }) => count(image.SharedSize, encodeSize(image.Size - image.SharedSize, 4)),
    },
    VirtualSize: { header: 'VIRTUAL SIZE', value: ({ image }) => encodeSize(image.Size, 4) },
  };
}
