import { decodeReference, familiarName, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { list, text, toggleOff } from '../flags/flags.ts';
import { print } from '../show/output.ts';

export const commit = command({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  flags: {
    author: text('string', 'Who made it: "Ada <ada@example.com>"', 'a'),
    change: list('list', 'Instruction of a Dockerfile to apply: \'CMD ["sh"]\'', 'c'),
    message: text('string', 'What was done', 'm'),
    pause: { ...toggleOff('Hold its processes meanwhile'), short: 'p' },
  },
  least: 1,
  most: 2,
  examples: [
    ['commit web web:patched', 'Its changes as a layer on top of its image'],
    ["commit -c 'ENV DEBUG=1' -c 'CMD [\"app\"]' web", 'With another configuration'],
  ],
  async run({ flags, args, daemon }) {
    const [container, name] = args as [string, string | undefined];
    const parameters = new URLSearchParams({ container });
    if (name !== undefined) {
      const { repo, tag } = target(name);
      parameters.set('repo', repo);
      parameters.set('tag', tag);
    }
    if (flags.author !== undefined) parameters.set('author', flags.author);
    if (flags.message !== undefined) parameters.set('comment', flags.message);
    for (const change of flags.change) parameters.append('changes', change);
    if (!flags.pause) parameters.set('pause', '0');
    const { Id } = await daemon.json<{ Id: string }>('POST', `/commit?${parameters}`);
    print(Id);
    return 0;
  },
});

function target(name: string): { repo: string; tag: string } {
  try {
    const reference = withTag(decodeReference(name));
    if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
    return { repo: familiarName(reference), tag: reference.tag! };
  } catch (cause) {
    throw new CommandError((cause as Error).message, { cause });
  }
}
