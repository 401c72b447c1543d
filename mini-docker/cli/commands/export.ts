import { command } from '../command.ts';
import { writeOutputFile } from '../copy/output-file.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { copyToOutput } from '../show/output.ts';

export const exportContainer = command({
  usage: '[OPTIONS] CONTAINER',
  flags: { output: text('string', 'File to write instead of standard output', 'o') },
  least: 1,
  most: 1,
  examples: [['export -o web.tar web', 'Its whole file system']],
  async run({ flags, args, daemon }) {
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new CommandError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const { body } = await daemon.request('GET', `/containers/${encodeURIComponent(args[0]!)}/export`);
    if (flags.output !== undefined) await writeOutputFile(flags.output, body, 'export container');
    else await copyToOutput(body);
    return 0;
  },
});
