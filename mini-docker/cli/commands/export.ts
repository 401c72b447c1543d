import { command } from '../command.ts';
import { writeOutputFile } from '../copy/output-file.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { copyToOutput } from '../show/output.ts';

const exportContainer = command({
  usage: '[OPTIONS] CONTAINER',
  flags: { output: text('string', 'Write to a file, instead of STDOUT', 'o') },
  examples: [['export -o web.tar web', "Export the container's filesystem"]],
  async run({ flags, args, daemon }) {
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new CommandError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const { body } = await daemon.request('GET', containerPath(args[0]!, '/export'));
    if (flags.output !== undefined) await writeOutputFile(flags.output, body, 'export container');
    else await copyToOutput(body);
  },
});

export { exportContainer as export };
