import { describeDuration } from '../../formats/durations.ts';
import type { ImageHistoryItem } from '../../formats/engine-api/images.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { imagePath } from '../daemon/object-paths.ts';
import { toggle, toggleOff } from '../flags/flags.ts';
import { type Columns, ellipsis, formatFlag, printListing } from '../show/listing.ts';

export const history = command({
  usage: '[OPTIONS] IMAGE',
  description: 'Lists the steps that made the image, newest first.',
  flags: {
    format: formatFlag(),
    human: { ...toggleOff('Print sizes and dates in human readable format'), short: 'H' },
    'no-trunc': toggle("Don't truncate output"),
    quiet: toggle('Only display IDs', 'q'),
  },
  examples: [
    ['history busybox', 'List the steps that made an image'],
    ["history --no-trunc --format '{{.CreatedBy}}' busybox", 'Show only the commands'],
  ],
  async run({ flags, args, daemon }) {
    const rows = await daemon.json<ImageHistoryItem[]>('GET', imagePath(args[0]!, '/history'));
    await printListing({
      columns: columns({ cut: !flags['no-trunc'], human: flags.human, now: new Date() }),
      rows,
      shown: ['ID', flags.human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
      format: flags.format,
      quiet: flags.quiet && 'ID',
    });
  },
});

const CREATED_BY = 45;

function columns(options: { cut: boolean; human: boolean; now: Date }): Columns<ImageHistoryItem> {
  const { cut, human, now } = options;
  return {
    Comment: { header: 'COMMENT', value: ({ Comment }) => Comment },
    CreatedAt: {
      header: 'CREATED AT',
      value: ({ Created }) => (Created > 0 ? new Date(Created * 1000).toISOString().replace('.000', '') : ''),
    },
    CreatedBy: {
      header: 'CREATED BY',
      value: ({ CreatedBy }) => {
        const text = CreatedBy.replaceAll('\t', ' ').replaceAll('\n', ' ');
        return cut ? ellipsis(text, CREATED_BY) : text;
      },
    },
    CreatedSince: {
      header: 'CREATED',
      value: ({ Created }) =>
        Created > 0 ? `${describeDuration(now.getTime() / 1000 - Created)} ago` : 'N/A',
    },
    ID: { header: 'IMAGE', value: ({ Id }) => (cut && Id.startsWith('sha256:') ? shortId(Id) : Id) },
    Size: { header: 'SIZE', value: ({ Size }) => (human ? encodeSize(Size) : String(Size)) },
  };
}
