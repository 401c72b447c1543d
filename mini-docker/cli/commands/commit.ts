import { decodeReference, familiarName, withTag } from '../../formats/image-reference.ts';
import { command } from '../command.ts';
import { CommandError } from '../errors.ts';
import { list, text, toggleOff } from '../flags/flags.ts';
import { print } from '../show/output.ts';

export const commit = command({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  flags: {
    author: text('string', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', 'a'),
    change: list('list', 'Apply Dockerfile instruction to the created image', 'c'),
    message: text('string', 'Commit message', 'm'),
    pause: { ...toggleOff('Pause container during commit'), short: 'p' },
  },
  examples: [
    ['commit web web:patched', "Save the container's changes as a new layer"],
    ["commit -c 'ENV DEBUG=1' -c 'CMD [\"app\"]' web", 'Change the configuration as well'],
  ],
  async run({ flags, args, daemon }) {
    const [container, name] = args as [string, string | undefined];
    const query = {
      container,
      ...(name !== undefined && target(name)),
      author: flags.author,
      comment: flags.message,
      changes: flags.change,
      pause: flags.pause,
    };
    const { Id } = await daemon.json<{ Id: string }>('POST', '/commit', { query });
    print(Id);
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
