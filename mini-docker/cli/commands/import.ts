import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { familiarName, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { parsedReference } from '../daemon/images-pull.ts';
import { CommandError } from '../errors.ts';
import { list, text } from '../flags/flags.ts';
import { print } from '../show/output.ts';
import { followProgress } from '../show/progress-lines.ts';
import { openInput } from './load.ts';

const importImage = command({
  usage: '[OPTIONS] FILE|- [REPOSITORY[:TAG]]',
  description:
    "Creates an image with a single layer from a tar archive of a filesystem, such as 'export' writes.",
  flags: {
    change: list('list', 'Apply Dockerfile instruction to the created image', 'c'),
    message: text('string', 'Set commit message for imported image', 'm'),
    platform: text('string', 'Set platform if server is multi-platform capable'),
  },
  examples: [
    ['import web.tar flat/web:1', "Import what 'export -o web.tar' wrote"],
    ['import -c \'CMD ["sh"]\' - small', 'Read from standard input'],
  ],
  async run({ flags, args, daemon }) {
    const [source, name] = args as [string, string | undefined];
    if (/^https?:\/\//.test(source)) {
      throw new CommandError(`cannot import from a URL: fetch ${source} first, and pipe it into import -`);
    }
    const reference = name === undefined ? undefined : withTag(parsedReference(name));
    const { message, platform, change: changes } = flags;
    const repo = reference && familiarName(reference);
    const stream = daemon.jsonStream<ProgressMessage>('POST', '/images/create', {
      query: { fromSrc: '-', repo, tag: reference?.tag, message, platform, changes },
      headers: { 'Content-Type': 'application/x-tar' },
      body: source === '-' ? process.stdin : openInput(source),
    });
    await followProgress(stream, ({ status }) => status !== undefined && print(status));
  },
});

export { importImage as import };
