import { encodeReference, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { parsedReference, pullImage, withLatest } from '../daemon/images-pull.ts';
import { contentTrustFlag, refuseContentTrust } from '../flags/content-trust.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';

export const pull = command({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  flags: {
    'disable-content-trust': contentTrustFlag(),
    'all-tags': toggle('All tagged images in the repository', 'a'),
    platform: text('string', 'Set platform if server is multi-platform capable'),
    quiet: toggle('Suppress verbose output', 'q'),
  },
  examples: [['pull alpine:3.20', 'Pull from Docker Hub']],
  async run({ flags, args, daemon }) {
    const image = args[0]!;
    refuseContentTrust({ skip: flags['disable-content-trust'], image });
    const allTags = flags['all-tags'];
    if (!allTags && !flags.quiet && withLatest(image) !== image) print('Using default tag: latest');
    const terminal = Boolean(process.stdout.isTTY);
    await pullImage(daemon, {
      image,
      allTags,
      platform: flags.platform,
      quiet: flags.quiet,
      show: write,
      terminal,
    });
    const reference = parsedReference(image);
    print(encodeReference(allTags ? reference : withTag(reference)));
  },
});
