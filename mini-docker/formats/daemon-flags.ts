// The flags of `mini-docker daemon`, in one table: the daemon reads its command line with it and finds the same
// settings in daemon.json, and the command prints its help from it.

export interface DaemonFlag {
  /** As parseArgs() of node:util takes them. */
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** The name of the same setting in daemon.json. */
  key?: string;
  /** What help shows for the value. */
  placeholder?: string;
  help: string;
}

export const DAEMON_FLAGS = {
  'config-file': {
    type: 'string',
    placeholder: 'string',
    help: 'Daemon configuration file (/etc/mini-docker/daemon.json, $MINI_DOCKER_CONFIG_FILE)',
  },
  'data-root': {
    type: 'string',
    key: 'data-root',
    placeholder: 'string',
    help: 'Root directory of persistent state (/var/lib/mini-docker, $MINI_DOCKER_DATA_ROOT)',
  },
  'run-dir': {
    type: 'string',
    placeholder: 'string',
    help: 'Root directory for sockets and running containers (/run/mini-docker, $MINI_DOCKER_RUN_DIR)',
  },
  host: {
    type: 'string',
    short: 'H',
    multiple: true,
    key: 'hosts',
    placeholder: 'list',
    help: 'Daemon socket(s) to listen on: unix:///PATH or tcp://HOST:PORT',
  },
  debug: { type: 'boolean', short: 'D', key: 'debug', help: 'Enable debug mode: log every request' },
  'registry-mirror': {
    type: 'string',
    multiple: true,
    key: 'registry-mirrors',
    placeholder: 'list',
    help: 'Preferred registry mirror: https://HOST',
  },
  'insecure-registry': {
    type: 'string',
    multiple: true,
    key: 'insecure-registries',
    placeholder: 'list',
    help: 'Enable insecure registry communication: HOST[:PORT], or addresses as 10.0.0.0/8',
  },
  'max-concurrent-downloads': {
    type: 'string',
    key: 'max-concurrent-downloads',
    placeholder: 'int',
    help: 'Set the max concurrent downloads (3)',
  },
  'max-concurrent-uploads': {
    type: 'string',
    key: 'max-concurrent-uploads',
    placeholder: 'int',
    help: 'Set the max concurrent uploads (5)',
  },
  lxcfs: {
    type: 'boolean',
    key: 'lxcfs',
    help: 'Let lxcfs tell containers their own limits in /proc (memory, processors, load)',
  },
  'metrics-addr': {
    type: 'string',
    key: 'metrics-addr',
    placeholder: 'string',
    help: 'Serve GET /metrics, for Prometheus, on HOST:PORT',
  },
  'signature-policy': {
    type: 'string',
    key: 'signature-policy',
    placeholder: 'string',
    help: 'Which images need which signatures, in the form of containers-policy.json (/etc/mini-docker/policy.json, if it exists)',
  },
  tls: { type: 'boolean', key: 'tls', help: 'Use TLS' },
  tlsverify: { type: 'boolean', key: 'tlsverify', help: 'Use TLS and verify the remote' },
  tlscacert: {
    type: 'string',
    key: 'tlscacert',
    placeholder: 'string',
    help: 'Trust certs signed only by this CA (~/.docker/ca.pem)',
  },
  tlscert: {
    type: 'string',
    key: 'tlscert',
    placeholder: 'string',
    help: 'Path to TLS certificate file (~/.docker/cert.pem)',
  },
  tlskey: {
    type: 'string',
    key: 'tlskey',
    placeholder: 'string',
    help: 'Path to TLS key file (~/.docker/key.pem)',
  },
} as const satisfies Record<string, DaemonFlag>;
