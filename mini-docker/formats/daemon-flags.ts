// The flags of `mini-docker daemon`, in one table: the daemon reads its command line with it and finds the same
// settings in daemon.json, and the command prints its help from it.

export interface DaemonFlag {
  /**
   * toggle: no value; switch: true or false; list: may be repeated; pairs: may be repeated, NAME=VALUE, and an object in
   * daemon.json.
   */
  kind: 'text' | 'number' | 'toggle' | 'switch' | 'list' | 'pairs';
  short?: string;
  /** The name of the same setting in daemon.json. */
  key?: string;
  /** What help shows for the value. */
  placeholder?: string;
  help: string;
}

const text = (key: string, help: string, placeholder = 'string') =>
  ({ kind: 'text', key, help, placeholder }) as const;
const number = (key: string, help: string) => ({ kind: 'number', key, help, placeholder: 'int' }) as const;
const list = (key: string, help: string) => ({ kind: 'list', key, help, placeholder: 'list' }) as const;
const toggle = (key: string, help: string) => ({ kind: 'toggle', key, help }) as const;
const on = (key: string, help: string) => ({ kind: 'switch', key, help, placeholder: 'bool' }) as const;

export const DAEMON_FLAGS = {
  bip: text('bip', "Specify the default bridge's address and subnet (CIDR)"),
  bip6: text('bip6', "Specify the default bridge's IPv6 address and subnet (CIDR)"),
  bridge: { ...text('bridge', 'Name of the default bridge (mini-docker0), or none'), short: 'b' },
  'cgroup-parent': text('cgroup-parent', 'Set parent cgroup for all containers'),
  'cluster-advertise': text('cluster-advertise', 'Address or interface of this host, for the other hosts'),
  'cluster-store': text('cluster-store', 'Store of networks that hosts share: etcd://HOST:PORT'),
  'cluster-store-opt': {
    kind: 'pairs',
    key: 'cluster-store-opts',
    placeholder: 'map',
    help: 'Cluster store options: discovery.ttl=60 (seconds after which a host counts as dead), kv.cacertfile, kv.certfile, kv.keyfile, kv.username, kv.passwordfile, kv.path',
  },
  'config-file': {
    kind: 'text',
    placeholder: 'string',
    help: 'Daemon configuration file (/etc/mini-docker/daemon.json, $MINI_DOCKER_CONFIG_FILE)',
  },
  'data-root': text(
    'data-root',
    'Root directory of persistent state (/var/lib/mini-docker, $MINI_DOCKER_DATA_ROOT)',
  ),
  debug: { ...toggle('debug', 'Enable debug mode: log every request'), short: 'D' },
  'default-address-pool': list(
    'default-address-pools',
    'Default address pools for networks: base=10.0.0.0/8,size=24',
  ),
  'default-cgroupns-mode': text(
    'default-cgroupns-mode',
    'Default mode for containers cgroup namespace ("host" | "private")',
  ),
  'default-gateway': text('default-gateway', 'Container default gateway IPv4 address', 'ip'),
  'default-gateway-v6': text('default-gateway-v6', 'Container default gateway IPv6 address', 'ip'),
  'default-ipc-mode': text('default-ipc-mode', 'Default mode for containers ipc ("shareable" | "private")'),
  'default-network-opt': list(
    'default-network-opts',
    'Default network options: bridge=com.docker.network.driver.mtu=1400',
  ),
  'default-runtime': text('default-runtime', 'Default OCI runtime for containers'),
  'default-shm-size': text('default-shm-size', 'Default shm size for containers (64MiB)', 'bytes'),
  'default-ulimit': {
    kind: 'pairs',
    key: 'default-ulimits',
    placeholder: 'ulimit',
    help: 'Default ulimits for containers: nofile=1024:2048',
  },
  dns: list('dns', 'DNS server to use'),
  'dns-opt': list('dns-opts', 'DNS options to use'),
  'dns-search': list('dns-search', 'DNS search domains to use'),
  'exec-opt': list('exec-opts', 'Runtime execution options: native.cgroupdriver=cgroupfs'),
  'fixed-cidr': text('fixed-cidr', "IPv4 subnet for the default bridge's containers"),
  'fixed-cidr-v6': text('fixed-cidr-v6', "IPv6 subnet for the default bridge's containers"),
  group: { ...text('group', 'Group for the unix socket (mini-docker or docker)'), short: 'G' },
  host: {
    ...list('hosts', 'Daemon socket(s) to listen on: unix:///PATH, tcp://HOST:PORT or fd://'),
    short: 'H',
  },
  'host-gateway-ip': list(
    'host-gateway-ips',
    "IP addresses that the special 'host-gateway' string in --add-host resolves to (the bridge's)",
  ),
  'http-proxy': text('http-proxy', 'HTTP proxy URL to use for outgoing traffic ($HTTP_PROXY)'),
  'https-proxy': text('https-proxy', 'HTTPS proxy URL to use for outgoing traffic ($HTTPS_PROXY)'),
  icc: on('icc', 'Enable inter-container communication on the default bridge (true)'),
  init: toggle('init', 'Run an init in the container to forward signals and reap processes'),
  'insecure-registry': list(
    'insecure-registries',
    'Enable insecure registry communication: HOST[:PORT], or addresses as 10.0.0.0/8',
  ),
  ip: text('ip', 'Default IP when binding container ports (0.0.0.0)', 'ip'),
  'ip-forward': on('ip-forward', 'Enable net.ipv4.ip_forward (true)'),
  'ip-masq': on('ip-masq', 'Enable IP masquerading on the default bridge (true)'),
  iptables: on('iptables', 'Enable addition of firewall rules (true)'),
  ipv6: toggle('ipv6', 'Enable IPv6 on the default bridge'),
  label: list('labels', 'Set key=value labels to the daemon'),
  'live-restore': on('live-restore', 'Containers go on running while the daemon is stopped (true)'),
  'log-driver': text('log-driver', 'Default driver for container logs (json-file)'),
  'log-level': {
    ...text('log-level', 'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")'),
    short: 'l',
  },
  'log-opt': {
    kind: 'pairs',
    key: 'log-opts',
    placeholder: 'map',
    help: 'Default log driver options for containers: max-size=10m',
  },
  lxcfs: toggle('lxcfs', 'Let lxcfs tell containers their own limits in /proc (memory, processors, load)'),
  'max-concurrent-downloads': number('max-concurrent-downloads', 'Set the max concurrent downloads (3)'),
  'max-concurrent-uploads': number('max-concurrent-uploads', 'Set the max concurrent uploads (5)'),
  'max-download-attempts': number('max-download-attempts', 'Set the max download attempts for each pull (5)'),
  'metrics-addr': text('metrics-addr', 'Serve GET /metrics, for Prometheus, on HOST:PORT'),
  mtu: number('mtu', "Set the default bridge's MTU (1500)"),
  'no-new-privileges': toggle('no-new-privileges', 'Set no-new-privileges by default for new containers'),
  'no-proxy': text(
    'no-proxy',
    'Hosts or IP addresses for which the proxy is skipped, with commas between ($NO_PROXY)',
  ),
  'oom-score-adjust': number('oom-score-adjust', 'Set the oom_score_adj for the daemon (-500)'),
  pidfile: { ...text('pidfile', 'Path to use for daemon PID file'), short: 'p' },
  'registry-mirror': list('registry-mirrors', 'Preferred registry mirror: https://HOST'),
  'run-dir': {
    kind: 'text',
    placeholder: 'string',
    help: 'Root directory for sockets and running containers (/run/mini-docker, $MINI_DOCKER_RUN_DIR)',
  },
  'seccomp-profile': text('seccomp-profile', 'Path to a seccomp profile, or unconfined'),
  'shutdown-timeout': number(
    'shutdown-timeout',
    'With --live-restore=false: seconds to stop containers in (15)',
  ),
  'signature-policy': text(
    'signature-policy',
    'Which images need which signatures, in the form of containers-policy.json (/etc/mini-docker/policy.json, if it exists)',
  ),
  'storage-driver': { ...text('storage-driver', 'Storage driver to use: overlay2'), short: 's' },
  tls: toggle('tls', 'Use TLS'),
  tlsverify: toggle('tlsverify', 'Use TLS and verify the remote'),
  tlscacert: text('tlscacert', 'Trust certs signed only by this CA (~/.docker/ca.pem)'),
  tlscert: text('tlscert', 'Path to TLS certificate file (~/.docker/cert.pem)'),
  tlskey: text('tlskey', 'Path to TLS key file (~/.docker/key.pem)'),
  'userland-proxy': on('userland-proxy', 'Accepted as in docker; published ports work either way (true)'),
  'userns-remap': text('userns-remap', 'User/Group setting for user namespaces: default, USER or USER:GROUP'),
} as const satisfies Record<string, DaemonFlag>;
