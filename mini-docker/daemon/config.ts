// daemon.json: what the daemon is to be like, under the names that dockerd's has
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
  /** Every request in the log. */
  debug: boolean,
  hosts: strings,
  /** host[:port] or CIDR: plain HTTP, or a certificate that nobody vouches for, is good enough. */
  'insecure-registries': array(checked(checkInsecure)),
  'max-concurrent-downloads': atLeastOne,
  'max-concurrent-uploads': atLeastOne,
  /** URLs of registries that are asked before Docker Hub. */
  'registry-mirrors': array(checked(checkMirror)),
  /** TCP with TLS; with tlsverify only for clients with a certificate that tlscacert has signed. */
  tls: boolean,
  tlscacert: string,
  tlscert: string,
  tlskey: string,
  tlsverify: boolean,
});
export type DaemonConfig = Infer<typeof daemonConfig>;

const KNOWN = Object.keys(daemonConfig.optional);

/** @throws Error with one line; no file is an empty configuration unless it `mustExist` */
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

/** @throws FormatError */
export function decodeDaemonConfig(fields: Record<string, unknown>): DaemonConfig {
  for (const key of Object.keys(fields)) {
    if (KNOWN.includes(key)) continue;
    const guess = meant(key, KNOWN);
    const help = guess === undefined ? `there are ${KNOWN.join(', ')}` : `did you mean ${guess}?`;
    throw new FormatError(`there is no option ${JSON.stringify(key)}; ${help}`);
  }
  return daemonConfig(fields, '');
}

/** @throws FormatError */
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

/** @throws FormatError */
export function checkInsecure(text: string, where: string): string {
  if (!/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$|^[0-9a-fA-F.:]+\/\d{1,3}$/.test(text)) {
    throw new FormatError(
      `${where}: ${JSON.stringify(text)} is neither a host, with or without a port, nor addresses as 10.0.0.0/8`,
    );
  }
  return text;
}
