import { DAEMON_FLAGS, type DaemonFlag } from '../../formats/daemon-flags.ts';
import { command } from '../command.ts';
import { type Flag, type FlagTable, list, text, toggle } from '../flags/flags.ts';

/** Only for the help: main.ts passes `daemon` to the engine directly. */
export const daemon = command({
  usage: '[OPTIONS]',
  description:
    'Other commands start it when none is running. It shuts down cleanly on SIGTERM; containers keep running.',
  flags: Object.fromEntries(
    Object.entries<DaemonFlag>(DAEMON_FLAGS).map(([name, flag]) => [name, shown(flag)]),
  ) satisfies FlagTable,
  examples: [
    ['daemon --data-root /srv/containers', 'Keep its data in another directory'],
    ['daemon -H tcp://0.0.0.0:2376 --tlsverify', 'Serve clients that have a certificate'],
  ],
  run: () => Promise.resolve(0),
});

function shown({ help, kind, placeholder, short }: DaemonFlag): Flag<unknown> {
  if (placeholder === undefined) return toggle(help, short) as Flag<unknown>;
  return (
    kind === 'list' || kind === 'pairs' ? list(placeholder, help, short) : text(placeholder, help, short)
  ) as Flag<unknown>;
}
