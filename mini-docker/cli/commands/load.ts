import { createReadStream, statSync } from 'node:fs';
import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { command } from '../command.ts';
import { CommandError, fileReason } from '../errors.ts';
import { text, toggle } from '../flags/flags.ts';
import { write } from '../show/output.ts';
import { followProgress, progressLines } from '../show/progress-lines.ts';

export const load = command({
  usage: '[OPTIONS]',
  description:
    "Accepts archives written by 'save', docker and podman: plain, or compressed with gzip, zstd, xz or bzip2.",
  flags: {
    input: text('string', 'Read from tar archive file, instead of STDIN', 'i'),
    quiet: toggle('Suppress verbose output', 'q'),
  },
  examples: [
    ['load -i web.tar', 'Load every image in the archive'],
    ['load', 'Read from standard input'],
  ],
  async run({ flags, daemon }) {
    if (flags.input === undefined && process.stdin.isTTY) {
      throw new CommandError('requested load from stdin, but stdin is empty: use -i FILE, or redirect');
    }
    const body = flags.input === undefined ? process.stdin : openInput(flags.input);
    const terminal = Boolean(process.stdout.isTTY);
    const stream = daemon.jsonStream<ProgressMessage>('POST', '/images/load', {
      query: { quiet: flags.quiet || !terminal },
      headers: { 'Content-Type': 'application/x-tar' },
      body,
    });
    await followProgress(stream, progressLines({ show: write, terminal }));
  },
});

export function openInput(path: string) {
  try {
    if (statSync(path).isDirectory()) throw new CommandError(`open ${path}: is a directory`);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`open ${path}: ${fileReason(cause)}`, { cause });
  }
  return createReadStream(path, { highWaterMark: 1 << 18 });
}
