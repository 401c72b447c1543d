import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { integer, text } from '../flags/flags.ts';
import { forEachTarget } from '../targets.ts';

const FLAGS = {
  signal: text('string', 'Signal to send to the container (its own stop signal, else TERM)', 's'),
  timeout: integer('int', 'Seconds to wait before killing the container, -1 to wait forever (10)', 't'),
  time: { ...integer('int', 'Same as --timeout'), hidden: true },
};

interface Flags {
  signal: string | undefined;
  timeout: number | undefined;
  time: number | undefined;
}

const request = (
  what: 'stop' | 'restart',
  daemon: DaemonClient,
  args: string[],
  { signal, timeout, time }: Flags,
) =>
  forEachTarget(args, async each => {
    const query = { signal, t: timeout ?? time };
    await daemon.text('POST', containerPath(each, `/${what}`), { query });
  });

export const stop = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  examples: [
    ['stop web', 'Stop a container; kill it after 10 seconds'],
    ['stop -t 0 web', 'Kill it immediately'],
  ],
  run: ({ flags, args, daemon }) => request('stop', daemon, args, flags),
});

export const restart = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  examples: [['restart web', 'Restart a container']],
  run: ({ flags, args, daemon }) => request('restart', daemon, args, flags),
});
