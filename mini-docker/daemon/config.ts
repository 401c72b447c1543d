// daemon.json: the daemon's settings, under the names that dockerd's file uses
// (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file).

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { FormatError } from '../formats/errors.ts';
import {
  array,
  boolean,
  type Infer,
  integer,
  map,
  object,
  parseObject,
  type Schema,
  string,
  strings,
  unsigned,
} from '../formats/schema.ts';
import { decodeSize } from '../formats/sizes.ts';
import { meant } from '../formats/typo.ts';
import { ULIMITS } from '../formats/ulimits.ts';
import { storeOptions } from './cluster-options.ts';

/** The schemas of texts. */
const texts = new Set<unknown>([string]);

function checked(check: (text: string, where: string) => string): Schema<string> {
  const schema: Schema<string> = (value, where) => check(string(value, where), where.replace(/\[\d+\]$/, ''));
  texts.add(schema);
  return schema;
}

const atLeastOne: Schema<number> = (value, where) => {
  const number = integer(value, where);
  if (number < 1) throw new FormatError(`${where} must be at least 1, not ${number}`);
  return number;
};

const oomScore: Schema<number> = (value, where) => {
  const number = integer(value, where);
  if (Math.abs(number) <= 1000) return number;
  throw new FormatError(`${where} must be from -1000 to 1000, not ${number}`);
};

const ulimit = object({ Name: string }, { Soft: integer, Hard: integer });
const ulimits: Schema<Record<string, Infer<typeof ulimit>>> = (value, where) => {
  const found = map(ulimit)(value, where);
  const unknown = Object.keys(found).find(name => !ULIMITS.includes(name));
  if (unknown === undefined) return found;
  throw new FormatError(`${where}: invalid ulimit type: ${unknown} (there are ${ULIMITS.join(', ')})`);
};
const addressPool = object({}, { base: checked(checkCidr), size: integer });

/** Bytes, or docker's form of them: '128m'. */
const size: Schema<number> = (value, where) => {
  if (typeof value !== 'string') return unsigned(value, where);
  try {
    return decodeSize(value);
  } catch (cause) {
    throw new FormatError(`${where}: ${(cause as Error).message}`, { cause });
  }
};

const oneOf = (...words: string[]): Schema<string> =>
  checked((text, where) => {
    if (words.includes(text)) return text;
    throw new FormatError(`${where} must be one of ${words.join(', ')}, not ${JSON.stringify(text)}`);
  });

const path = checked((text, where) => {
  if (isAbsolute(text)) return text;
  throw new FormatError(`${where} must be an absolute path, not ${JSON.stringify(text)}`);
});

const address = checked((text, where) => {
  if (isIP(text) !== 0) return text;
  throw new FormatError(`${where} must be an IP address, not ${JSON.stringify(text)}`);
});

/** At most one of each family. */
const addresses: Schema<string[]> = (value, where) => {
  const found = array(address)(value, where);
  if (new Set(found.map(each => isIP(each))).size === found.length) return found;
  throw new FormatError(`${where} may have one IPv4 and one IPv6 address, not ${found.join(', ')}`);
};

const labels: Schema<string[]> = (value, where) => {
  const found = array(checked(checkLabel))(value, where);
  const keys = found.map(each => each.slice(0, each.indexOf('=')));
  const second = found.findIndex((each, at) => found[keys.indexOf(keys[at]!)] !== each);
  if (second < 0) return found;
  throw new FormatError(
    `${where}: conflict labels for ${found[keys.indexOf(keys[second]!)]} and ${found[second]}`,
  );
};

const daemonConfig = object({
  bip: checked(bridgeAddress(4)),
  bip6: checked(bridgeAddress(6)),
  bridge: string,
  'cgroup-parent': string,
  'cluster-advertise': string,
  'cluster-store': string,
  'cluster-store-opts': storeOptions,
  'data-root': path,
  /** Whether every request is logged. */
  debug: boolean,
  'default-address-pools': array(addressPool),
  'default-gateway': address,
  'default-gateway-v6': address,
  'default-cgroupns-mode': oneOf('host', 'private'),
  'default-ipc-mode': oneOf('private', 'shareable'),
  /** Options of networks that do not set them, by driver. */
  'default-network-opts': map(map(string)),
  'default-runtime': string,
  'default-shm-size': size,
  'default-ulimits': ulimits,
  dns: array(address),
  'dns-opts': strings,
  'dns-search': strings,
  'exec-opts': array(checked(checkExecOption)),
  'fixed-cidr': checked(checkCidr),
  'fixed-cidr-v6': checked(checkCidr),
  group: string,
  /** What host-gateway in --add-host stands for. */
  'host-gateway-ip': address,
  'host-gateway-ips': addresses,
  hosts: strings,
  /** As HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the daemon's environment, which they come before; in the file, fields of `proxies`. */
  'http-proxy': checked(checkProxy),
  'https-proxy': checked(checkProxy),
  icc: boolean,
  init: boolean,
  /** Registries, as host[:port] or CIDR, that may use plain HTTP or an unverified certificate. */
  'insecure-registries': array(checked(checkInsecure)),
  ip: address,
  'ip-forward': boolean,
  'ip-masq': boolean,
  /** Whether the daemon makes rules of the firewall; it does so with nftables. */
  iptables: boolean,
  ipv6: boolean,
  labels,
  'live-restore': boolean,
  'log-driver': string,
  'log-level': oneOf('debug', 'info', 'warn', 'error', 'fatal'),
  'log-opts': map(string),
  /** Whether lxcfs replaces files of /proc in containers. */
  lxcfs: boolean,
  'max-concurrent-downloads': atLeastOne,
  'max-concurrent-uploads': atLeastOne,
  /** How often a request to a registry is sent while it fails. */
  'max-download-attempts': atLeastOne,
  /** Where GET /metrics is served: HOST:PORT. */
  'metrics-addr': checked(checkMetricsAddress),
  mtu: unsigned,
  'no-new-privileges': boolean,
  'no-proxy': string,
  /** Of the daemon itself: proc_pid_oom_score_adj(5) */
  'oom-score-adjust': oomScore,
  pidfile: path,
  /** URLs of registries that are asked before Docker Hub. */
  'registry-mirrors': array(checked(checkMirror)),
  'seccomp-profile': string,
  /** Seconds. */
  'shutdown-timeout': integer,
  /** Path of a file as containers-policy.json(5) describes it. */
  'signature-policy': path,
  'storage-driver': oneOf('overlay2'),
  /**
   * Whether TCP uses TLS; with tlsverify, only clients with a certificate signed by tlscacert are admitted.
   */
  tls: boolean,
  tlscacert: string,
  tlscert: string,
  tlskey: string,
  tlsverify: boolean,
  /** Either way published ports are reached as in docker: by rules, and from a socket of the daemon's, which keeps them. */
  'userland-proxy': boolean,
  'userns-remap': string,
});
export type DaemonConfig = Infer<typeof daemonConfig>;

const { optional: schemas } = daemonConfig;
const KNOWN = Object.keys(schemas);

/** Dockerd's other keys, which mean nothing here: the daemon starts, and says so. */
const WITHOUT_MEANING = new Set(
  `allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugins bridge-accept-fwmark
  builder cdi-spec-dirs containerd containerd-namespace containerd-plugin-namespace containerd-plugins-namespace
  cpu-rt-period cpu-rt-runtime cri-containerd deprecated-key-path exec-root experimental features
  firewall-backend init-path ip-forward-no-drop ip6tables log-format
  min-api-version network-control-plane-mtu network-diagnostic-port
  node-generic-resources nri-opts raw-logs rootless runtimes selinux-enabled
  storage-opts swarm-default-advertise-addr userland-proxy-path validate`.split(/\s+/),
);

/**
 * The file's fields, not yet checked. As for dockerd, whose documentation has a file with every key in it, an empty text
 * is as good as no setting.
 * @throws Error with one line; a missing file is empty unless it `mustExist`
 */
export function readDaemonConfig(
  path: string,
  { mustExist }: { mustExist: boolean },
): Record<string, unknown> {
  let text: string;
  try {
    // Editors on Windows begin a file with a byte order mark.
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return {};
    throw new Error(`cannot read the configuration: ${message}`, { cause });
  }
  if (text.trim() === '') return {};
  try {
    const { proxies, ...others } = parseObject(text, 'it');
    const fields = [...Object.entries(others), ...Object.entries(map(string)(proxies ?? {}, 'proxies'))];
    return Object.fromEntries(fields.filter(([key, value]) => !isUnset(key, value)));
  } catch (cause) {
    const { message, cause: syntax } = cause as Error;
    // V8 says where, in these words, and shows a piece of the text, which may have many lines.
    const place = syntax instanceof Error ? /\(line \d+ column \d+\)/.exec(syntax.message)?.[0] : undefined;
    throw new Error(`${path}: ${message}${place === undefined ? '' : ` ${place}`}`, { cause });
  }
}

const isUnset = (key: string, value: unknown): boolean =>
  value === null || (value === '' && (WITHOUT_MEANING.has(key) || texts.has(Reflect.get(schemas, key))));

/**
 * @param warn receives the keys of dockerd that mean nothing here
 * @throws FormatError when a setting is unknown or has a wrong value
 */
export function decodeDaemonConfig(
  fields: Record<string, unknown>,
  warn: (key: string) => void = () => {},
): DaemonConfig {
  for (const key of Object.keys(fields)) {
    if (KNOWN.includes(key)) continue;
    if (WITHOUT_MEANING.has(key)) {
      warn(key);
      continue;
    }
    const guess = meant(key, KNOWN);
    const help = guess === undefined ? `there are ${KNOWN.join(', ')}` : `did you mean ${guess}?`;
    throw new FormatError(`there is no option ${JSON.stringify(key)}; ${help}`);
  }
  const config = daemonConfig(fields, '');
  if (config['exec-opts']?.includes(SYSTEMD_DRIVER)) warn(`exec-opts ${SYSTEMD_DRIVER}`);
  return config;
}

/** The default bridge's own address and subnet. */
function bridgeAddress(family: 4 | 6) {
  return (text: string, where: string): string => {
    checkCidr(text, where);
    const [address] = text.split('/') as [string];
    if (isIP(address) === family) return family === 4 ? checkHost(text, where) : text;
    const other = family === 4 ? 'bip6' : 'bip';
    throw new FormatError(
      `${where}: ${JSON.stringify(text)} is not an IPv${family} address (for the other family there is ${other})`,
    );
  };
}

function checkHost(text: string, where: string): string {
  const wrong = (why: string) => new FormatError(`${where}: ${JSON.stringify(text)} ${why}`);
  const [address, bits] = text.split('/') as [string, string];
  const host = 2 ** (32 - Number(bits));
  const inNetwork = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) % host;
  if (host < 4 || (inNetwork !== 0 && inNetwork !== host - 1)) return text;
  throw wrong('is the address of the network itself: give the bridge another of its addresses');
}

function checkCidr(text: string, where: string): string {
  const [address = '', bits = ''] = text.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most) return text;
  throw new FormatError(`${where}: ${JSON.stringify(text)} is not in CIDR notation, as 172.28.0.1/16`);
}

/** Control groups are made by this engine itself, as with cgroupfs; Kubernetes' guides have users ask for systemd. */
const SYSTEMD_DRIVER = 'native.cgroupdriver=systemd';

function checkExecOption(text: string, where: string): string {
  if (['native.cgroupdriver=cgroupfs', SYSTEMD_DRIVER].includes(text)) return text;
  throw new FormatError(
    `${where}: ${JSON.stringify(text)}: the only option is native.cgroupdriver, cgroupfs or systemd`,
  );
}

function checkLabel(text: string, where: string): string {
  if (/^[^=]+=/.test(text)) return text;
  throw new FormatError(`${where}: bad attribute format: ${text} (a label is NAME=VALUE)`);
}

/** @throws FormatError when the text is no URL of a proxy, which may have a password */
function checkProxy(text: string, where: string): string {
  if (/^https?:\/\/./.test(text) && URL.canParse(text)) return text;
  throw new FormatError(
    `${where}: ${JSON.stringify(text)} is not the URL of a proxy, as http://proxy.example:3128`,
  );
}

/** @throws FormatError when the text is no URL of a mirror */
function checkMirror(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '';
  if (!fits) {
    throw new FormatError(
      `${where}: ${JSON.stringify(text)} is not the URL of a mirror, as https://mirror.example`,
    );
  }
  return text;
}

/** @throws FormatError when the text is not HOST:PORT */
function checkMetricsAddress(text: string, where: string): string {
  if (/^(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(text) && URL.canParse(`http://${text}`)) return text;
  throw new FormatError(`${where}: ${JSON.stringify(text)} is not HOST:PORT, as 127.0.0.1:9323`);
}

/** @throws FormatError when the text is neither host[:port] nor CIDR */
function checkInsecure(text: string, where: string): string {
  if (!/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$|^[0-9a-fA-F.:]+\/\d{1,3}$/.test(text)) {
    throw new FormatError(
      `${where}: ${JSON.stringify(text)} is neither a host, with or without a port, nor addresses as 10.0.0.0/8`,
    );
  }
  return text;
}
