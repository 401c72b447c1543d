import { command } from '../command.ts';
import { integer, list, text, toggle } from '../flags/flags.ts';

/** Only for the help: main.ts passes `daemon` to the engine directly. */
export const daemon = command({
  usage: '[OPTIONS]',
  description:
    'Other commands start it when none is running. It shuts down cleanly on SIGTERM; containers keep running.',
  flags: {
    'config-file': text(
      'string',
      'Its configuration (/etc/mini-docker/daemon.json, $MINI_DOCKER_CONFIG_FILE)',
    ),
    debug: toggle('Every request in the log', 'D'),
    'insecure-registry': list(
      'list',
      'Registry that may do without TLS: HOST[:PORT] or addresses as 10.0.0.0/8',
    ),
    'max-concurrent-downloads': integer('int', 'Layers at a time of a pull (3)'),
    'max-concurrent-uploads': integer('int', 'Layers at a time of a push (5)'),
    'registry-mirror': list('list', 'Registry to ask before Docker Hub: https://HOST'),
    'data-root': text(
      'string',
      'Where images and containers are (/var/lib/mini-docker, $MINI_DOCKER_DATA_ROOT)',
    ),
    'run-dir': text('string', 'Where sockets and what runs are (/run/mini-docker, $MINI_DOCKER_RUN_DIR)'),
    host: text('string', 'Where to listen: unix:///PATH or tcp://HOST:PORT', 'H'),
    tls: toggle('TCP with TLS'),
    tlscacert: text('string', 'Who signs the certificates of clients (~/.docker/ca.pem)'),
    tlscert: text('string', 'Certificate of the daemon (~/.docker/cert.pem)'),
    tlskey: text('string', 'Its key (~/.docker/key.pem)'),
    tlsverify: toggle('TCP with TLS, only for clients with a certificate'),
  },
  least: 0,
  most: 0,
  examples: [
    ['daemon --data-root /srv/containers', 'Keep its data in another directory'],
    ['daemon -H tcp://0.0.0.0:2376 --tlsverify', 'Serve clients that have a certificate'],
  ],
  run: () => Promise.resolve(0),
});
