// daemon.json: the daemon's settings, under the names that dockerd's file uses
// (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file).

import { readFileSync } from 'node:fs';
import { FormatError } from '../formats/errors.ts';
import {
  array,
  boolean,
  type Infer,
  integer,
  object,
  parseObject,
  type Schema,
  string,
  strings,
} from '../formats/schema.ts';
import { meant } from '../formats/typo.ts';

const checked =
  (check: (text: string, where: string) => string): Schema<string> =>
  (value, where) =>
    check(string(value, where), where.replace(/\[\d+\]$/, ''));

const atLeastOne: Schema<number> = (value, where) => {
  const number = integer(value, where);
  if (number < 1) throw new FormatError(`${where} must be at least 1, not ${number}`);
  return number;
};

const daemonConfig = object({
  'data-root': string,
  /** Whether every request is logged. */
  debug: boolean,
  hosts: strings,
  /** Registries, as host[:port] or CIDR, that may use plain HTTP or an unverified certificate. */
  'insecure-registries': array(checked(checkInsecure)),
  'max-concurrent-downloads': atLeastOne,
  'max-concurrent-uploads': atLeastOne,
  /** Whether lxcfs replaces files of /proc in containers. */
  lxcfs: boolean,
  /** Where GET /metrics is served: HOST:PORT. */
  'metrics-addr': checked(checkMetricsAddress),
  /** URLs of registries that are asked before Docker Hub. */
  'registry-mirrors': array(checked(checkMirror)),
  /** Path of a file as containers-policy.json(5) describes it. */
  'signature-policy': string,
  /**
   * Whether TCP uses TLS; with tlsverify, only clients with a certificate signed by tlscacert are admitted.
   */
  tls: boolean,
  tlscacert: string,
  tlscert: string,
  tlskey: string,
  tlsverify: boolean,
});
export type DaemonConfig = Infer<typeof daemonConfig>;

const KNOWN = Object.keys(daemonConfig.optional);

/** @throws Error with one line; a missing file is an empty configuration unless it `mustExist` */
export function readDaemonConfig(path: string, { mustExist }: { mustExist: boolean }): DaemonConfig {
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
    return decodeDaemonConfig(parseObject(text, 'it'));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
}

/** @throws FormatError when a setting is unknown or has a wrong value */
export function decodeDaemonConfig(fields: Record<string, unknown>): DaemonConfig {
  for (const key of Object.keys(fields)) {
    if (KNOWN.includes(key)) continue;
    const guess = meant(key, KNOWN);
    const help = guess === undefined ? `there are ${KNOWN.join(', ')}` : `did you mean ${guess}?`;
    throw new FormatError(`there is no option ${JSON.stringify(key)}; ${help}`);
  }
  return daemonConfig(fields, '');
}

/** @throws FormatError when the text is no URL of a mirror */
export function checkMirror(text: string, where: string): string {
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
export function checkMetricsAddress(text: string, where: string): string {
  if (/^(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(text)) return text;
  throw new FormatError(`${where}: ${JSON.stringify(text)} is not HOST:PORT, as 127.0.0.1:9323`);
}

/** @throws FormatError when the text is neither host[:port] nor CIDR */
export function checkInsecure(text: string, where: string): string {
  if (!/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$|^[0-9a-fA-F.:]+\/\d{1,3}$/.test(text)) {
    throw new FormatError(
      `${where}: ${JSON.stringify(text)} is neither a host, with or without a port, nor addresses as 10.0.0.0/8`,
    );
  }
  return text;
}
