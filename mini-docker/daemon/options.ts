// The command line, the environment and the configuration file of `mini-docker daemon`.

import { isAbsolute, join } from 'node:path';
import { parseArgs } from 'node:util';
import { DAEMON_FLAGS, type DaemonFlag } from '../formats/daemon-flags.ts';
import {
  checkInsecure,
  checkMetricsAddress,
  checkMirror,
  type DaemonConfig,
  readDaemonConfig,
} from './config.ts';

export interface DaemonOptions {
  /** Absolute path of the data root. */
  dataRoot: string;
  runDir: string;
  /** Addresses to listen on: 'unix:///path' or 'tcp://address:port'. */
  hosts: string[];
  debug: boolean;
  lxcfs: boolean;
  /** Where GET /metrics is served: 'HOST:PORT'. */
  metricsAddress?: string;
  registries: RegistryOptions;
  /** Absolute path of the signature policy; undefined: the default one, if it exists. */
  signaturePolicy?: string;
  /** TLS files for TCP; undefined for plain TCP. */
  tls?: TlsOptions;
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
  mirrors?: string[];
  insecure?: string[];
  maxDownloads?: number;
  maxUploads?: number;
}

const DEFAULT_CONFIG = '/etc/mini-docker/daemon.json';

/**
 * Flags override the file, the file the environment, and the environment the defaults.
 * @throws Error with one line that says what is wrong
 */
export function daemonOptions(argv: string[], env: Record<string, string | undefined>): DaemonOptions {
  const flags = readFlags(argv);
  const asked = flags['config-file'] ?? (env.MINI_DOCKER_CONFIG_FILE || undefined);
  const config = readDaemonConfig(asked ?? DEFAULT_CONFIG, { mustExist: asked !== undefined });
  refuseTwice(flags, config);
  const dataRoot =
    flags['data-root'] ?? config['data-root'] ?? (env.MINI_DOCKER_DATA_ROOT || '/var/lib/mini-docker');
  const runDir = flags['run-dir'] ?? (env.MINI_DOCKER_RUN_DIR || '/run/mini-docker');
  const signaturePolicy = flags['signature-policy'] ?? config['signature-policy'];
  for (const [name, path] of Object.entries({
    'data-root': dataRoot,
    'run-dir': runDir,
    'signature-policy': signaturePolicy,
  })) {
    if (path !== undefined && !isAbsolute(path))
      throw new Error(`--${name} must be an absolute path, not ${JSON.stringify(path)}`);
  }
  const metricsFlag = flags['metrics-addr'];
  const metricsAddress =
    metricsFlag === undefined ? config['metrics-addr'] : checkMetricsAddress(metricsFlag, '--metrics-addr');
  const hosts = flags.host ?? config.hosts ?? [];
  const tls = tlsOptions({ ...config, ...flags }, env);
  return {
    dataRoot,
    runDir,
    hosts: hosts.length > 0 ? hosts : [`unix://${runDir}/mini-docker.sock`],
    debug: flags.debug ?? config.debug ?? false,
    lxcfs: flags.lxcfs ?? config.lxcfs ?? false,
    registries: registryOptions(flags, config),
    ...(metricsAddress === undefined ? {} : { metricsAddress }),
    ...(signaturePolicy === undefined ? {} : { signaturePolicy }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/**
 * As dockerd: --tlsverify implies --tls, and the files default to those in DOCKER_CERT_PATH, else ~/.docker.
 */
function tlsOptions(
  given: Pick<DaemonConfig, 'tls' | 'tlsverify' | 'tlscacert' | 'tlscert' | 'tlskey'>,
  env: Record<string, string | undefined>,
): TlsOptions | undefined {
  if (!given.tls && !given.tlsverify) return undefined;
  const directory = env.DOCKER_CERT_PATH || join(env.HOME || '/root', '.docker');
  return {
    cert: given.tlscert ?? join(directory, 'cert.pem'),
    key: given.tlskey ?? join(directory, 'key.pem'),
    ...(given.tlsverify ? { clientCa: given.tlscacert ?? join(directory, 'ca.pem') } : {}),
  };
}

type Flags = ReturnType<typeof readFlags>;

function readFlags(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: DAEMON_FLAGS }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message.split('\n')[0]} (see mini-docker daemon --help)`);
  }
}

/** As dockerd: refuses a setting given both as a flag and in the file, because either could be meant. */
function refuseTwice(flags: Flags, config: DaemonConfig): void {
  for (const [flag, { key }] of Object.entries<DaemonFlag>(DAEMON_FLAGS)) {
    if (key === undefined || flags[flag as keyof Flags] === undefined) continue;
    if (config[key as keyof DaemonConfig] === undefined) continue;
    throw new Error(
      `${key} is in the configuration file, and --${flag} is given, too: leave one of them out`,
    );
  }
}

function registryOptions(flags: Flags, config: DaemonConfig): RegistryOptions {
  const mirrors =
    flags['registry-mirror']?.map(each => checkMirror(each, '--registry-mirror')) ??
    config['registry-mirrors'];
  const insecure =
    flags['insecure-registry']?.map(each => checkInsecure(each, '--insecure-registry')) ??
    config['insecure-registries'];
  const maxDownloads = count(flags, 'max-concurrent-downloads') ?? config['max-concurrent-downloads'];
  const maxUploads = count(flags, 'max-concurrent-uploads') ?? config['max-concurrent-uploads'];
  return {
    ...(mirrors === undefined ? {} : { mirrors }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(maxDownloads === undefined ? {} : { maxDownloads }),
    ...(maxUploads === undefined ? {} : { maxUploads }),
  };
}

function count(
  flags: Flags,
  name: 'max-concurrent-downloads' | 'max-concurrent-uploads',
): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${name} must be a number from 1 on, not ${text}`);
  return Number(text);
}
