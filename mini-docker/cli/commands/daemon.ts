import { command } from '../command.ts';
import { text } from '../flags.ts';

/** Only its help: main.ts gives `daemon` to the engine without asking the command line. */
export const daemon = command({
  usage: '[OPTIONS]',
  description: 'Commands start it when none answers. It ends cleanly on SIGTERM; containers go on running.',
  flags: {
    'data-root': text(
      'string',
      'Where images and containers are (/var/lib/mini-docker, $MINI_DOCKER_DATA_ROOT)',
    ),
    'run-dir': text('string', 'Where sockets and what runs are (/run/mini-docker, $MINI_DOCKER_RUN_DIR)'),
    host: text('string', 'Where to listen: unix:///PATH or tcp://HOST:PORT', 'H'),
  },
  least: 0,
  most: 0,
  examples: [['daemon --data-root /srv/containers', 'With another place for its data']],
  run: () => Promise.resolve(0),
});
