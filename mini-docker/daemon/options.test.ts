import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonOptions } from './options.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-options-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function withFile(config: unknown, flags: string[] = []) {
  const path = join(directory, 'daemon.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return daemonOptions(['--config-file', path, ...flags], {});
}

test('flags come before the environment, and that before the defaults', () => {
  expect(daemonOptions([], {})).toMatchObject({
    dataRoot: '/var/lib/mini-docker',
    runDir: '/run/mini-docker',
    hosts: ['unix:///run/mini-docker/mini-docker.sock'],
    reloadable: { debug: false, labels: [], registries: {} },
    withoutMeaning: [],
  });
  const env = { MINI_DOCKER_DATA_ROOT: '/d', MINI_DOCKER_RUN_DIR: '/r' };
  expect(daemonOptions([], env)).toMatchObject({
    dataRoot: '/d',
    runDir: '/r',
    hosts: ['unix:///r/mini-docker.sock'],
  });
  expect(
    daemonOptions(['--data-root', '/x', '-H', 'unix:///a', '--host=tcp://127.0.0.1:1'], env),
  ).toMatchObject({
    dataRoot: '/x',
    runDir: '/r',
    hosts: ['unix:///a', 'tcp://127.0.0.1:1'],
  });
});

test('a wrong command line is one clear line', () => {
  expect(() => daemonOptions(['--nope'], {})).toThrow("Unknown option '--nope'");
  expect(() => daemonOptions(['surplus'], {})).toThrow(/surplus/);
  expect(() => daemonOptions(['--data-root', 'relative'], {})).toThrow('data-root must be an absolute path');
});

test("daemon.json has dockerd's names", () => {
  const config = {
    'data-root': '/data',
    hosts: ['unix:///x'],
    debug: true,
    'registry-mirrors': ['https://mirror.example'],
    'insecure-registries': ['registry.lan:5000', '10.0.0.0/8'],
    'max-concurrent-downloads': 6,
    'max-concurrent-uploads': 1,
  };
  expect(withFile(config)).toMatchObject({
    dataRoot: '/data',
    runDir: '/run/mini-docker',
    hosts: ['unix:///x'],
    reloadable: {
      debug: true,
      registries: {
        mirrors: ['https://mirror.example'],
        insecure: ['registry.lan:5000', '10.0.0.0/8'],
        maxDownloads: 6,
        maxUploads: 1,
      },
    },
  });
  expect(withFile('').reloadable.debug).toBe(false);
  const flags = [
    '--registry-mirror',
    'http://a',
    '--insecure-registry=b',
    '-D',
    '--max-concurrent-uploads=2',
  ];
  expect(withFile({}, flags)).toMatchObject({
    reloadable: { debug: true, registries: { mirrors: ['http://a'], insecure: ['b'], maxUploads: 2 } },
  });
});

test('a wrong daemon.json is one clear line with its path', () => {
  for (const [config, message] of [
    ['{', 'daemon.json: it is not JSON'],
    [{ 'insecure-registry': [] }, 'did you mean insecure-registries?'],
    [{ debug: 'yes' }, 'debug must be true or false'],
    [{ 'registry-mirrors': ['mirror'] }, 'is not the URL of a mirror'],
    [{ 'insecure-registries': ['http://x'] }, 'neither a host'],
    [{ 'max-concurrent-downloads': 0 }, 'must be at least 1'],
    [{ 'storage-driver': 'btrfs' }, 'storage-driver must be one of overlay2'],
    [{ 'exec-opts': ['native.cgroupdriver=none'] }, 'the only option is native.cgroupdriver'],
    [{ 'exec-opts': '' }, 'exec-opts must be a list'],
    [{ debug: '' }, 'debug must be true or false'],
    ['{\n  "debug": true,\n}', 'daemon.json: it is not JSON (line 3 column 1)'],
    [{ labels: ['a=b', 'c=d', 'a=c'] }, 'conflict labels for a=b and a=c'],
    [{ mtu: -1 }, 'mtu must'],
    [{ bip: '10.0.0.0/24' }, 'bip: "10.0.0.0/24" is the address of the network itself'],
    [{ bip: 'fd00::1/64' }, 'is not an IPv4 address (for the other family there is bip6)'],
    [{ bip6: '10.0.0.1/24' }, 'is not an IPv6 address'],
    [{ 'host-gateway-ips': ['192.0.2.1', '192.0.2.2'] }, 'may have one IPv4 and one IPv6 address'],
    [{ 'host-gateway-ips': ['192.0.2.1'], 'host-gateway-ip': '192.0.2.2' }, 'keep one of them'],
    [{ 'oom-score-adjust': -1001 }, 'must be from -1000 to 1000'],
    [{ 'max-download-attempts': 0 }, 'must be at least 1'],
    [{ pidfile: 'docker.pid' }, 'pidfile must be an absolute path'],
    [{ 'default-network-opts': { bridge: 'mtu' } }, 'default-network-opts.bridge must be'],
    [{ bip: '10.0.0.1/24', bridge: 'none' }, 'bridge none and bip exclude each other'],
    [{ bip: '172.28.0.1' }, 'bip: "172.28.0.1" is not in CIDR notation'],
    [{ dns: ['one'] }, 'dns must be an IP address'],
    [
      { 'default-ulimits': { nofile: { Name: 'nofile', Soft: 1 } } },
      'default-ulimits.nofile.Hard is missing',
    ],
    [{ 'userns-remap': 'no-such-user' }, '/etc/subuid reserves no ids for no-such-user'],
  ] as const) {
    expect(() => withFile(config), message).toThrow(message);
  }
  expect(() => withFile({ debug: true, bip: '10.0.0.1/24' }, ['-D', '--bip=10.0.0.2/24'])).toThrow(
    'the following directives are specified both as a flag and in the configuration file: bip: (from flag: "10.0.0.2/24", from file: "10.0.0.1/24"), debug: (from flag: true, from file: true)',
  );
  expect(() => daemonOptions(['--config-file', join(directory, 'none')], {})).toThrow(
    'cannot read the configuration: ENOENT',
  );
});

test('a key without a value is no setting, and one that means something to dockerd only is named', () => {
  const texts =
    'bip bridge cgroup-parent data-root default-cgroupns-mode default-ipc-mode default-runtime fixed-cidr fixed-cidr-v6 group host-gateway-ip ip log-driver log-level metrics-addr seccomp-profile storage-driver tlscacert tlscert tlskey userns-remap';
  const unset = Object.fromEntries(texts.split(' ').map(key => [key, '']));
  expect(withFile({ ...unset, debug: null, pidfile: '', iptables: null })).toEqual(withFile({}));
  expect(withFile(`\uFEFF${JSON.stringify({ debug: true })}`).reloadable.debug).toBe(true);
  const others = {
    'allow-direct-routing': false,
    'containerd-plugins-namespace': 'docker-plugins',
    'exec-opts': ['native.cgroupdriver=systemd'],
    features: { cdi: true },
    'firewall-backend': 'iptables',
    'log-format': 'text',
    'min-api-version': '1.24',
  };
  expect(withFile(others).withoutMeaning).toEqual(
    Object.keys(others)
      .filter(key => key !== 'exec-opts')
      .concat('exec-opts native.cgroupdriver=systemd'),
  );
});

test("TLS has docker's files where none are named, and checks clients with --tlsverify", () => {
  expect(daemonOptions(['--tls'], { HOME: '/h' }).tls).toEqual({
    cert: '/h/.docker/cert.pem',
    key: '/h/.docker/key.pem',
  });
  const env = { DOCKER_CERT_PATH: '/c' };
  expect(withFile({ tlsverify: true, tlskey: '/k' }).tls).toMatchObject({ key: '/k' });
  expect(daemonOptions(['--tlsverify', '--tlscert', '/mine'], env).tls).toEqual({
    cert: '/mine',
    key: '/c/key.pem',
    clientCa: '/c/ca.pem',
  });
  expect(daemonOptions(['--tlskey', '/k'], env).tls).toBeUndefined();
});

test('flags and file say the same in their own ways', () => {
  const file = withFile({
    bip: '10.9.0.1/24',
    icc: false,
    'default-address-pools': [{ base: '10.0.0.0/8', size: 24 }],
    'default-ulimits': { nofile: { Name: 'nofile', Hard: 20, Soft: 10 } },
    'default-shm-size': '128m',
    'log-driver': 'local',
    'log-opts': { 'max-size': '1m' },
    'live-restore': false,
    'shutdown-timeout': 3,
    labels: ['a=b'],
    'log-level': 'debug',
    bip6: 'fd00::1/64',
    'default-network-opts': { bridge: { mtu: '1', icc: 'a=b' }, macvlan: { parent: '' } },
    'host-gateway-ips': ['192.0.2.1', '2001:db8::1'],
    'max-download-attempts': 2,
    'oom-score-adjust': -3,
    pidfile: '/run/daemon.pid',
  });
  const words =
    '--bip6 fd00::1/64 --default-network-opt bridge=mtu=1 --default-network-opt macvlan=parent= --default-network-opt bridge=icc=a=b --host-gateway-ip 192.0.2.1 --host-gateway-ip 2001:db8::1 --max-download-attempts 2 --oom-score-adjust=-3 -p /run/daemon.pid --bip 10.9.0.1/24 --icc=false --default-address-pool base=10.0.0.0/8,size=24 --default-ulimit nofile=10:20 --default-shm-size 128m --log-driver local --log-opt max-size=1m --live-restore=false --shutdown-timeout 3 --label a=b -l debug';
  expect(withFile({}, words.split(' '))).toEqual(file);
  expect(file).toMatchObject({
    pidFile: '/run/daemon.pid',
    oomScore: -3,
    network: {
      bridge: { bip: '10.9.0.1/24', bip6: 'fd00::1/64', icc: false },
      pools: [{ base: '10.0.0.0/8', size: 24 }],
    },
    containers: {
      shmSize: 128 << 20,
      ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
      logDriver: 'local',
      logOptions: { 'max-size': '1m' },
    },
    reloadable: { debug: true, labels: ['a=b'], keepContainers: false, shutdownTimeout: 3 },
  });
  expect(() => withFile({}, ['--icc=maybe'])).toThrow('--icc must be true or false');
  expect(() => withFile({}, ['--mtu', 'big'])).toThrow('--mtu must be a number');
  expect(() => withFile({}, ['--default-ulimit', 'nofile'])).toThrow('--default-ulimit must be NAME=VALUE');
});

test('the cluster store: TLS, a user whose password is in a file, and what is wrong about them', () => {
  const cluster = { 'cluster-store': 'etcd://10.0.0.1:2379', 'cluster-advertise': 'eth0' };
  const withOptions = (options: object) => withFile({ ...cluster, 'cluster-store-opts': options });
  const password = join(directory, 'password');
  writeFileSync(password, 'a secret\n');
  const tls = { 'kv.cacertfile': '/ca.pem', 'kv.certfile': '/host.pem', 'kv.keyfile': '/host.key' };
  const user = { 'kv.username': 'hosts', 'kv.passwordfile': password };
  expect(withOptions({ ...tls, ...user, 'discovery.ttl': '9', 'kv.path': '/a/b/' }).network.cluster).toEqual({
    store: 'etcd://10.0.0.1:2379',
    advertise: 'eth0',
    ttl: 9,
    path: '/a/b',
    tls: { ca: '/ca.pem', cert: '/host.pem', key: '/host.key' },
    user: { name: 'hosts', password: 'a secret' },
  });
  expect(withOptions({}).network.cluster).toEqual({
    store: 'etcd://10.0.0.1:2379',
    advertise: 'eth0',
    ttl: 60,
  });
  for (const [options, why] of [
    [{ 'kv.certfile': '/host.pem' }, 'kv.certfile and kv.keyfile need each other'],
    [{ ...user, 'kv.passwordfile': '/missing' }, 'kv.passwordfile: ENOENT'],
    [{ 'kv.cacertfile': 'ca.pem' }, 'kv.cacertfile must be an absolute path'],
    [{ 'discovery.heartbeat': '60' }, 'discovery.heartbeat must be less than discovery.ttl'],
    [{ 'kv.password': 'x' }, 'there is no kv.password; there are'],
  ] as const)
    expect(() => withOptions(options)).toThrow(why);
});

test('what means something to dockerd only is named, and does not keep the daemon from starting', () => {
  expect(withFile({ experimental: false, 'raw-logs': true, debug: true })).toMatchObject({
    withoutMeaning: ['experimental', 'raw-logs'],
    reloadable: { debug: true },
  });
});

test("an ordinary user's daemon reads the user's own file, and has no use for what is root's", () => {
  mkdirSync(join(directory, 'mini-docker'));
  const file = join(directory, 'mini-docker/daemon.json');
  writeFileSync(file, JSON.stringify({ debug: true, group: 'docker', 'userns-remap': 'default' }));
  const options = daemonOptions([], { XDG_CONFIG_HOME: directory, MINI_DOCKER_ROOTLESS: '1000' });
  expect(options).toMatchObject({ group: undefined, withoutMeaning: ['group', 'userns-remap'] });
  expect(options.reloadable.debug).toBe(true);
  expect(daemonOptions([], { XDG_CONFIG_HOME: directory }).reloadable.debug).toBe(false);
});

test('proxies are variables of the environment, in both spellings', () => {
  const proxies = { 'http-proxy': 'http://a:1', 'https-proxy': null, 'no-proxy': '' };
  const variables = { http_proxy: 'http://a:1', HTTP_PROXY: 'http://a:1' };
  expect(withFile({ proxies }).proxies).toEqual(variables);
  expect(daemonOptions(['--http-proxy', 'http://a:1'], {}).proxies).toEqual(variables);
  expect(() => withFile({ proxies: { 'http-proxy': 'a:1' } })).toThrow(
    'http-proxy: "a:1" is not the URL of a proxy',
  );
  expect(() => withFile({ proxies: { 'http-proxy': 1 } })).toThrow('http-proxy');
  expect(() => withFile({ proxies: 'http://a:1' })).toThrow('proxies');
});
