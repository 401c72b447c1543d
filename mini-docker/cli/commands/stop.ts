import { command } from '../command.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { integer, text } from '../flags/flags.ts';
import { forEachTarget } from '../targets.ts';

const FLAGS = {
  signal: text('string', "Signal that asks it to stop (the container's, else TERM)", 's'),
  timeout: integer('int', 'Seconds to wait before killing, -1 for ever (10)', 't'),
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
    await daemon.text('POST', `/containers/${encodeURIComponent(each)}/${what}`, { query });
    return undefined;
  });

export const stop = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  least: 1,
  examples: [
    ['stop web', 'Ask it to stop, kill it after 10 seconds'],
    ['stop -t 0 web', 'Kill it at once'],
  ],
  run: ({ flags, args, daemon }) => request('stop', daemon, args, flags),
});

export const restart = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  least: 1,
  examples: [['restart web', 'Stop and start it']],
  run: ({ flags, args, daemon }) => request('restart', daemon, args, flags),
});
