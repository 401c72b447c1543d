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

const checked =
  (check: (text: string, where: string) => string): Schema<string> =>
  (value, where) =>
    check(string(value, where), where.replace(/\[\d+\]$/, ''));

const atLeastOne: Schema<number> = (value, where) => {
  const number = integer(value, where);
  if (number < 1) throw new FormatError(`${where} must be at least 1, not ${number}`);
  return number;
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

const daemonConfig = object({
  bip: checked(checkCidr),
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
  hosts: strings,
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
  labels: array(checked(checkLabel)),
  'live-restore': boolean,
  'log-driver': string,
  'log-level': oneOf('debug', 'info', 'warn', 'error', 'fatal'),
  'log-opts': map(string),
  /** Whether lxcfs replaces files of /proc in containers. */
  lxcfs: boolean,
  'max-concurrent-downloads': atLeastOne,
  'max-concurrent-uploads': atLeastOne,
  /** Where GET /metrics is served: HOST:PORT. */
  'metrics-addr': checked(checkMetricsAddress),
  mtu: integer,
  'no-new-privileges': boolean,
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

const KNOWN = Object.keys(daemonConfig.optional);

/** Dockerd's other keys, which mean nothing here: the daemon starts, and says so. */
const WITHOUT_MEANING = new Set(
  `allow-nondistributable-artifacts api-cors-header authorization-plugins builder containerd containerd-namespace
  containerd-plugin-namespace cpu-rt-period cpu-rt-runtime cri-containerd
  default-network-opts deprecated-key-path exec-root experimental features host-gateway-ip http-proxy https-proxy init-path
  ip6tables max-download-attempts network-control-plane-mtu no-proxy node-generic-resources
  oom-score-adjust pidfile proxies raw-logs runtimes selinux-enabled storage-opts swarm-default-advertise-addr
  userland-proxy-path validate`.split(/\s+/),
);

/** The file's fields, not yet checked. @throws Error with one line; a missing file is empty unless it `mustExist` */
export function readDaemonConfig(
  path: string,
  { mustExist }: { mustExist: boolean },
): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return {};
    throw new Error(`cannot read the configuration: ${message}`, { cause });
  }
  if (text.trim() === '') return {};
  try {
    return parseObject(text, 'it');
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

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
  return daemonConfig(fields, '');
}

function checkCidr(text: string, where: string): string {
  const [address = '', bits = ''] = text.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most) return text;
  throw new FormatError(`${where}: ${JSON.stringify(text)} is not in CIDR notation, as 172.28.0.1/16`);
}

function checkExecOption(text: string, where: string): string {
  if (text === 'native.cgroupdriver=cgroupfs') return text;
  const why = text.startsWith('native.cgroupdriver=')
    ? 'control groups are made by this engine itself: cgroupfs is the only driver'
    : 'the only option is native.cgroupdriver';
  throw new FormatError(`${where}: ${JSON.stringify(text)}: ${why}`);
}

function checkLabel(text: string, where: string): string {
  if (/^[^=]+=/.test(text)) return text;
  throw new FormatError(`${where}: bad attribute format: ${text} (a label is NAME=VALUE)`);
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
