import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { encodeReference, familiarName, familiarReference, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { parsedReference } from '../daemon/images-pull.ts';
import { imagePath } from '../daemon/object-paths.ts';
import { authHeader } from '../daemon/registry-config.ts';
import { CommandError } from '../errors.ts';
import { contentTrustFlag, refuseContentTrust } from '../flags/content-trust.ts';
import { text, toggle } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';
import { followProgress, progressLines } from '../show/progress-lines.ts';

export const push = command({
  usage: '[OPTIONS] NAME[:TAG]',
  flags: {
    'all-tags': toggle('All tagged images in the repository', 'a'),
    'disable-content-trust': contentTrustFlag(),
    platform: { ...text('string', 'Only this platform'), hidden: true },
    quiet: toggle('Suppress verbose output', 'q'),
  },
  examples: [
    ['tag web localhost:5000/team/web:1', 'Name the registry in the tag'],
    ['push localhost:5000/team/web:1', 'Push the layers that the registry does not have'],
  ],
  async run({ flags, args, daemon }) {
    refuseContentTrust({ skip: flags['disable-content-trust'], image: args[0]! });
    const reference = parsedReference(args[0]!);
    const allTags = flags['all-tags'];
    if (reference.digest !== undefined) throw new CommandError('cannot push a digest reference');
    if (allTags && reference.tag !== undefined) {
      throw new CommandError("tag can't be used with --all-tags/-a");
    }
    const wanted = allTags ? reference : withTag(reference);
    if (!allTags && reference.tag === undefined && !flags.quiet) print('Using default tag: latest');
    const stream = daemon.jsonStream<ProgressMessage>('POST', imagePath(familiarName(wanted), '/push'), {
      query: { tag: wanted.tag },
      // The API requires the header even without credentials.
      headers: { 'X-Registry-Auth': 'e30=', ...(await authHeader(reference.domain, process.env)) },
    });
    const show = progressLines({ show: write, terminal: Boolean(process.stdout.isTTY) });
    await followProgress(stream, flags.quiet ? () => {} : show);
    if (flags.quiet) print(allTags ? familiarName(wanted) : familiarOrFull(wanted));
  },
});

const familiarOrFull = (reference: Parameters<typeof familiarReference>[0]): string =>
  reference.domain === 'docker.io' ? encodeReference(reference) : familiarReference(reference);
