// The command line, the environment and the configuration file of `mini-docker daemon`.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { configHome } from '../formats/daemon-directories.ts';
import { DAEMON_FLAGS, type DaemonFlag } from '../formats/daemon-flags.ts';
import { FormatError } from '../formats/errors.ts';
import type { NetworkOptions } from '../formats/network-options.ts';
import { clusterOptions } from './cluster-options.ts';
import { type DaemonConfig, decodeDaemonConfig, readDaemonConfig } from './config.ts';
import { type Remapped, remappedIds } from './userns-remap.ts';

export interface DaemonOptions {
  /** Absolute path of the data root. */
  dataRoot: string;
  runDir: string;
  /** Addresses to listen on: 'unix:///path' or 'tcp://address:port'. */
  hosts: string[];
  /** Where GET /metrics is served: 'HOST:PORT'. */
  metricsAddress?: string | undefined;
  /** Absolute path of the signature policy; undefined: the default one, if it exists. */
  signaturePolicy?: string | undefined;
  /** TLS files for TCP; undefined for plain TCP. */
  tls?: TlsOptions;
  /** Group of the unix sockets; undefined: mini-docker or docker, if it exists. */
  group?: string | undefined;
  network: NetworkOptions;
  /** HTTP_PROXY and the like, for the environment of the daemon. */
  proxies: Record<string, string>;
  containers: ContainerDefaults;
  /** Absolute path of a file for the daemon's pid. */
  pidFile?: string | undefined;
  /** The daemon's own; undefined: as low as it may have it. */
  oomScore?: number | undefined;
  /** What changes when the daemon reads its configuration again (SIGHUP). */
  reloadable: Reloadable;
  /** Keys of the configuration file that mean something to dockerd only. */
  withoutMeaning: string[];
}

export interface Reloadable {
  debug: boolean;
  labels: string[];
  registries: RegistryOptions;
  /** Whether containers go on running when the daemon ends while the machine does not. */
  keepContainers: boolean;
  /** Seconds in which containers are stopped with the daemon, or with the machine. */
  shutdownTimeout: number;
}

/** Paths of PEM files. */
export interface TlsOptions {
  cert: string;
  key: string;
  /**
   * Certificate of the authority that signs clients' certificates; when set, clients without one are
   * refused.
   */
  clientCa?: string;
}

/** The settings that images/registry/settings.ts takes. */
export interface RegistryOptions {
  mirrors?: string[] | undefined;
  insecure?: string[] | undefined;
  maxDownloads?: number | undefined;
  maxUploads?: number | undefined;
  maxAttempts?: number | undefined;
  /** Set by the daemon: why no other machine can be reached, if so. */
  offline?: string | undefined;
}

/** What a container gets whose client says nothing about it. */
export interface ContainerDefaults {
  lxcfs: boolean;
  init?: boolean | undefined;
  cgroupParent?: string | undefined;
  cgroupnsMode?: string | undefined;
  ipcMode?: string | undefined;
  /** Bytes. */
  shmSize?: number | undefined;
  runtime?: string | undefined;
  ulimits?: { Name: string; Soft: number; Hard: number }[] | undefined;
  dns?: string[] | undefined;
  /** Addresses that `host-gateway` in --add-host stands for; undefined: the bridge's. */
  hostGateway?: string[] | undefined;
  dnsOptions?: string[] | undefined;
  dnsSearch?: string[] | undefined;
  logDriver?: string | undefined;
  logOptions?: Record<string, string> | undefined;
  noNewPrivileges?: boolean | undefined;
  /** Path of a profile, or 'unconfined'. */
  seccompProfile?: string | undefined;
  /** The ids of a container's user namespace, by "userns-remap". */
  idMappings?: Remapped | undefined;
}

/** Set for the daemon of an ordinary user, which is root in its own namespaces: the user's id outside. */
export const ROOTLESS = 'MINI_DOCKER_ROOTLESS';

/** A user's socket is for nobody else, and all ids of the user's containers are others outside. */
const ROOTS_ONLY = ['group', 'userns-remap'];

/** Root's settings are not an ordinary user's: they name directories of root's. */
function defaultConfig(env: Record<string, string | undefined>): string {
  if (!env[ROOTLESS]) return '/etc/mini-docker/daemon.json';
  return join(configHome(env, env.HOME || '/'), 'mini-docker/daemon.json');
}

/** Seconds. */
const SHUTDOWN_TIMEOUT = 15;

/**
 * Flags override the file, the file the environment, and the environment the defaults.
 * @throws Error with one line that says what is wrong
 */
export function daemonOptions(argv: string[], env: Record<string, string | undefined>): DaemonOptions {
  const flags = readFlags(argv);
  const asked = (flags['config-file'] as string | undefined) ?? (env.MINI_DOCKER_CONFIG_FILE || undefined);
  const path = asked ?? defaultConfig(env);
  const file = readDaemonConfig(path, { mustExist: asked !== undefined });
  const given = flagFields(flags);
  refuseTwice(given, file);
  const withoutMeaning: string[] = [];
  try {
    decodeDaemonConfig(file, key => withoutMeaning.push(key));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
  const fields = { ...file, ...given };
  for (const key of env[ROOTLESS] ? ROOTS_ONLY : []) {
    if (fields[key] === undefined) continue;
    withoutMeaning.push(key);
    delete fields[key];
  }
  const config = decodeDaemonConfig(fields);
  const dataRoot = config['data-root'] ?? (env.MINI_DOCKER_DATA_ROOT || '/var/lib/mini-docker');
  const runDir = (flags['run-dir'] as string | undefined) ?? (env.MINI_DOCKER_RUN_DIR || '/run/mini-docker');
  for (const [name, path] of Object.entries({ 'data-root': dataRoot, 'run-dir': runDir }))
    if (!path.startsWith('/'))
      throw new Error(`--${name} must be an absolute path, not ${JSON.stringify(path)}`);
  const hosts = config.hosts ?? [];
  const tls = tlsOptions(config, env);
  return {
    dataRoot,
    runDir,
    hosts: hosts.length > 0 ? hosts : [`unix://${runDir}/mini-docker.sock`],
    metricsAddress: config['metrics-addr'],
    signaturePolicy: config['signature-policy'],
    group: config.group,
    pidFile: config.pidfile,
    oomScore: config['oom-score-adjust'],
    network: networkOptions(config),
    proxies: proxyVariables(config),
    containers: containerDefaults(config),
    reloadable: reloadable(config),
    withoutMeaning,
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Both spellings: programs differ in which they read first. */
function proxyVariables(config: DaemonConfig): Record<string, string> {
  const given = Object.entries({
    http_proxy: config['http-proxy'],
    https_proxy: config['https-proxy'],
    no_proxy: config['no-proxy'],
  }).filter((each): each is [string, string] => Boolean(each[1]));
  return Object.fromEntries(
    given.flatMap(([name, value]) => [
      [name, value],
      [name.toUpperCase(), value],
    ]),
  );
}

function reloadable(config: DaemonConfig): Reloadable {
  const { debug = config['log-level'] === 'debug', labels = [] } = config;
  return {
    debug,
    labels,
    registries: {
      mirrors: config['registry-mirrors'],
      insecure: config['insecure-registries'],
      maxDownloads: config['max-concurrent-downloads'],
      maxUploads: config['max-concurrent-uploads'],
      maxAttempts: config['max-download-attempts'],
    },
    keepContainers: config['live-restore'] ?? true,
    shutdownTimeout: config['shutdown-timeout'] ?? SHUTDOWN_TIMEOUT,
  };
}

function networkOptions(config: DaemonConfig): NetworkOptions {
  if (config.bridge === 'none' && (config.bip ?? config.bip6) !== undefined)
    throw new Error(
      'bridge none and bip exclude each other: without a default bridge there is none to get an address',
    );
  return {
    bridge: {
      bridge: config.bridge || undefined,
      bip: config.bip,
      bip6: config.bip6,
      fixedCidr: config['fixed-cidr'],
      fixedCidr6: config['fixed-cidr-v6'],
      gateway: config['default-gateway'],
      gateway6: config['default-gateway-v6'],
      mtu: config.mtu || undefined,
      icc: config.icc,
      masquerade: config['ip-masq'],
      hostAddress: config.ip,
      ipv6: config.ipv6,
    },
    firewall: config.iptables,
    forward: config['ip-forward'],
    cluster: clusterOptions(config),
    pools: config['default-address-pools'],
    defaults: config['default-network-opts'],
  };
}

function containerDefaults(config: DaemonConfig): ContainerDefaults {
  const ulimits = Object.entries(config['default-ulimits'] ?? {});
  return {
    lxcfs: config.lxcfs ?? false,
    init: config.init,
    cgroupParent: config['cgroup-parent'],
    cgroupnsMode: config['default-cgroupns-mode'],
    ipcMode: config['default-ipc-mode'],
    shmSize: config['default-shm-size'],
    runtime: config['default-runtime'],
    ulimits: ulimits.map(([name, { Soft, Hard }]) => ({ Name: name, Soft, Hard })),
    dns: config.dns,
    hostGateway: hostGateway(config),
    dnsOptions: config['dns-opts'],
    dnsSearch: config['dns-search'],
    logDriver: config['log-driver'],
    logOptions: config['log-opts'],
    noNewPrivileges: config['no-new-privileges'],
    seccompProfile: config['seccomp-profile'] || undefined,
    idMappings: config['userns-remap'] ? remappedIds(config['userns-remap']) : undefined,
  };
}

/** The key with one address is that of earlier versions of dockerd. */
function hostGateway({
  'host-gateway-ips': all,
  'host-gateway-ip': one,
}: DaemonConfig): string[] | undefined {
  if (all !== undefined && one !== undefined)
    throw new Error('host-gateway-ip and host-gateway-ips say the same: keep one of them');
  return all ?? (one === undefined ? undefined : [one]);
}

/**
 * As dockerd: --tlsverify implies --tls, and the files default to those in DOCKER_CERT_PATH, else ~/.docker.
 */
function tlsOptions(given: DaemonConfig, env: Record<string, string | undefined>): TlsOptions | undefined {
  if (!given.tls && !given.tlsverify) return undefined;
  const directory = env.DOCKER_CERT_PATH || join(env.HOME || '/root', '.docker');
  return {
    cert: given.tlscert ?? join(directory, 'cert.pem'),
    key: given.tlskey ?? join(directory, 'key.pem'),
    ...(given.tlsverify ? { clientCa: given.tlscacert ?? join(directory, 'ca.pem') } : {}),
  };
}

type Flags = Record<string, string | boolean | string[] | undefined>;

function readFlags(argv: string[]): Flags {
  const options = Object.entries<DaemonFlag>(DAEMON_FLAGS).map(([name, { kind, short }]) => [
    name,
    {
      type: kind === 'toggle' ? 'boolean' : 'string',
      multiple: kind === 'list' || kind === 'pairs',
      ...(short === undefined ? {} : { short }),
    } as const,
  ]);
  try {
    return parseArgs({ args: argv, options: Object.fromEntries(options) }).values as Flags;
  } catch (error) {
    throw new Error(`${(error as Error).message.split('\n')[0]} (see mini-docker daemon --help)`);
  }
}

/** What flags say, in the form of the configuration file. @throws Error with one line */
function flagFields(flags: Flags): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, { kind, key }] of Object.entries<DaemonFlag>(DAEMON_FLAGS)) {
    const value = flags[name];
    if (key === undefined || value === undefined) continue;
    found[key] = fieldOf(name, kind, value);
  }
  return found;
}

function fieldOf(name: string, kind: DaemonFlag['kind'], value: string | boolean | string[]): unknown {
  const refuse = (wanted: string) => new Error(`--${name} must be ${wanted}, not ${JSON.stringify(value)}`);
  if (kind === 'number') {
    if (!/^-?\d{1,9}$/.test(value as string)) throw refuse('a number');
    return Number(value);
  }
  if (kind === 'switch') {
    if (value !== 'true' && value !== 'false') throw refuse('true or false');
    return value === 'true';
  }
  if (name === 'default-network-opt') return networkDefaults(value as string[], refuse);
  if (name === 'default-address-pool') return (value as string[]).map(each => addressPool(each, refuse));
  if (kind !== 'pairs') return value;
  const pairs = (value as string[]).map(each => {
    const [, left, right] = /^([^=]+)=(.*)$/s.exec(each) ?? [];
    if (left === undefined || right === undefined) throw refuse('NAME=VALUE');
    return [left, name === 'default-ulimit' ? ulimit(right, refuse) : right];
  });
  return Object.fromEntries(pairs);
}

/** 'bridge=com.docker.network.driver.mtu=1400' */
function networkDefaults(texts: string[], refuse: (wanted: string) => Error) {
  const found: Record<string, Record<string, string>> = {};
  for (const text of texts) {
    const [, driver, name, value] = /^([^=]+)=([^=]+)=(.*)$/s.exec(text) ?? [];
    if (driver === undefined || name === undefined) throw refuse('DRIVER=OPTION=VALUE');
    found[driver] = { ...found[driver], [name]: value! };
  }
  return found;
}

/** 'base=10.0.0.0/8,size=24' */
function addressPool(text: string, refuse: (wanted: string) => Error) {
  const [, base, size] = /^base=([^,]+),size=(\d{1,3})$/.exec(text) ?? [];
  if (base === undefined) throw refuse('base=CIDR,size=BITS');
  return { base, size: Number(size) };
}

/** '1024:2048' */
function ulimit(text: string, refuse: (wanted: string) => Error) {
  const [, soft, hard = soft] = /^(-?\d{1,15})(?::(-?\d{1,15}))?$/.exec(text) ?? [];
  if (soft === undefined) throw refuse('NAME=SOFT[:HARD]');
  return { Soft: Number(soft), Hard: Number(hard) };
}

/** As dockerd: refuses settings given both as flags and in the file, because either could be meant. */
function refuseTwice(given: Record<string, unknown>, file: Record<string, unknown>): void {
  const twice = Object.values<DaemonFlag>(DAEMON_FLAGS).flatMap(({ key }) =>
    key === undefined || given[key] === undefined || file[key] === undefined
      ? []
      : [`${key}: (from flag: ${JSON.stringify(given[key])}, from file: ${JSON.stringify(file[key])})`],
  );
  if (twice.length === 0) return;
  throw new Error(
    `the following directives are specified both as a flag and in the configuration file: ${twice.join(', ')}`,
  );
}
