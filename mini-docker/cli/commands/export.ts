import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { command } from '../command.ts';
import { CommandError, fileReason } from '../errors.ts';
import { text } from '../flags.ts';
import { copyToOutput } from '../output.ts';

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
    if (flags.output !== undefined) await writeFile(flags.output, body);
    else await copyToOutput(body);
    return 0;
  },
});

/** Under another name until it is whole: a copy that broke off must not be taken for one. */
async function writeFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old?.isDirectory()) throw new CommandError(`failed to export container: ${path} is a directory`);
  // A device or a pipe is written as it is.
  const through = old && !old.isFile() ? path : `${path}.${process.pid}.part`;
  try {
    await pipeline(body, createWriteStream(through, { mode: 0o600 }));
    if (through !== path) await rename(through, path);
  } catch (cause) {
    if (through !== path) await rm(through, { force: true });
    throw new CommandError(`failed to export container: ${path}: ${fileReason(cause)}`, { cause });
  }
}
