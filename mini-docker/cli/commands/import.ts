import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { familiarName, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { parsedReference } from '../daemon/images-pull.ts';
import { CommandError } from '../errors.ts';
import { list, text } from '../flags/flags.ts';
import { print } from '../show/output.ts';
import { followProgress } from '../show/progress-lines.ts';
import { openInput } from './load.ts';

export const importImage = command({
  usage: '[OPTIONS] FILE|- [REPOSITORY[:TAG]]',
  description: 'Makes an image of one layer out of a file system in a tar archive: what export writes.',
  flags: {
    change: list('list', 'Instruction of a Dockerfile for its configuration', 'c'),
    message: text('string', 'Comment in its history', 'm'),
    platform: text('string', 'Platform that it is for: linux/arm64'),
  },
  least: 1,
  most: 2,
  examples: [
    ['import web.tar flat/web:1', 'What export -o web.tar has written'],
    ['import -c \'CMD ["sh"]\' - small', 'From standard input'],
  ],
  async run({ flags, args, daemon }) {
    const [source, name] = args as [string, string | undefined];
    if (/^https?:\/\//.test(source)) {
      throw new CommandError(`cannot import from a URL: fetch ${source} first, and pipe it into import -`);
    }
    const reference = name === undefined ? undefined : withTag(parsedReference(name));
    const query = new URLSearchParams({ fromSrc: '-' });
    if (reference !== undefined) query.set('repo', familiarName(reference));
    if (reference?.tag !== undefined) query.set('tag', reference.tag);
    if (flags.message !== undefined) query.set('message', flags.message);
    if (flags.platform !== undefined) query.set('platform', flags.platform);
    for (const change of flags.change) query.append('changes', change);
    const stream = daemon.jsonStream<ProgressMessage>('POST', `/images/create?${query}`, {
      headers: { 'Content-Type': 'application/x-tar' },
      body: source === '-' ? process.stdin : openInput(source),
    });
    await followProgress(stream, ({ status }) => status !== undefined && print(status));
    return 0;
  },
});
