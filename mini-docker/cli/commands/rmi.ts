import type { ImageDeleted } from '../../formats/engine-api/images.ts';
import { decodeReference, familiarName, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { imagePath } from '../daemon/object-paths.ts';
import { CommandError, errorLine, hasStatus } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, printError } from '../show/output.ts';

export const rmi = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  flags: {
    force: toggle('Force removal of the image', 'f'),
    'no-prune': toggle('Do not delete untagged parents'),
    platform: { ...text('string', 'Only this platform'), hidden: true },
  },
  examples: [['rmi busybox:1.35', 'Remove a tag, and the image with its last tag']],
  async run({ flags, args, daemon }) {
    let exitCode = 0;
    for (const each of args) {
      try {
        const query = { force: flags.force || undefined, noprune: flags['no-prune'] || undefined };
        const path = imagePath(each);
        for (const { Deleted, Untagged } of await daemon.json<ImageDeleted[]>('DELETE', path, { query })) {
          print(Deleted === undefined ? `Untagged: ${Untagged}` : `Deleted: ${Deleted}`);
        }
      } catch (error) {
        printError(errorLine(error));
        if (!(flags.force && hasStatus(error, 404))) exitCode = 1;
      }
    }
    return exitCode;
  },
});

export const tag = command({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  examples: [['tag busybox mine/box:1', 'Give the image a second name']],
  async run({ args, daemon }) {
    const [source, target] = args as [string, string];
    let query: { repo: string; tag: string | undefined };
    try {
      const reference = withTag(decodeReference(target));
      query = { repo: familiarName(reference), tag: reference.tag };
      if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
    } catch (cause) {
      throw new CommandError(
        `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${(cause as Error).message}`,
        { cause },
      );
    }
    await daemon.text('POST', imagePath(source, '/tag'), { query });
  },
});
