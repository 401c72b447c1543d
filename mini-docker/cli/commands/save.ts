import { command } from '../command.ts';
import { writeOutputFile } from '../copy/output-file.ts';
import { CommandError } from '../errors.ts';
import { text } from '../flags/flags.ts';
import { copyToOutput } from '../show/output.ts';

export const save = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description:
    'The archive is both a docker archive and an OCI layout; docker, podman and skopeo can read it.',
  flags: { output: text('string', 'Write to a file, instead of STDOUT', 'o') },
  examples: [
    ['save -o web.tar web:1', 'Save an image with its layers and tags'],
    ['save busybox web:1 > both.tar', 'Save two images; shared layers are stored once'],
  ],
  async run({ flags, args, daemon }) {
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new CommandError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const { body } = await daemon.request('GET', '/images/get', { query: { names: args } });
    const archive = process.stderr.isTTY
      ? (await import('../show/archive-progress.ts')).watchedArchive(body)
      : body;
    if (flags.output !== undefined) await writeOutputFile(flags.output, archive, 'save image');
    else await copyToOutput(archive);
  },
});
