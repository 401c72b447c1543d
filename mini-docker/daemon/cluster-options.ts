// The settings of daemon.json for networks that hosts share: cluster-store, cluster-advertise and cluster-store-opts, as
// docker had them. A user and a password, which docker had not, are for an etcd that wants them.
import { readFileSync } from 'node:fs';
import { FormatError } from '../formats/errors.ts';
import type { ClusterOptions } from '../formats/network-options.ts';
import { map, type Schema, string } from '../formats/schema.ts';

/** What each option of cluster-store-opts must be. */
const OPTIONS: Record<string, { pattern: RegExp; wanted: string }> = {
  'discovery.heartbeat': { pattern: /^[1-9]\d{0,4}$/, wanted: 'a number of seconds' },
  'discovery.ttl': { pattern: /^([3-9]|[1-9]\d{1,4})$/, wanted: 'at least 3 seconds' },
  'kv.cacertfile': { pattern: /^\//, wanted: 'an absolute path' },
  'kv.certfile': { pattern: /^\//, wanted: 'an absolute path' },
  'kv.keyfile': { pattern: /^\//, wanted: 'an absolute path' },
  'kv.passwordfile': { pattern: /^\//, wanted: 'an absolute path' },
  'kv.path': { pattern: /^[\w./-]+$/, wanted: 'a path' },
  'kv.username': { pattern: /^.+$/, wanted: 'a name' },
};

/** Seconds, as in docker. */
const TTL = 60;

export const storeOptions: Schema<Record<string, string>> = (value, where) => {
  const options = map(string)(value, where);
  for (const [key, text] of Object.entries(options)) {
    const { pattern, wanted } = OPTIONS[key] ?? {};
    if (pattern === undefined)
      throw new FormatError(`${where}: there is no ${key}; there are ${Object.keys(OPTIONS).join(', ')}`);
    if (!pattern.test(text))
      throw new FormatError(`${where}: ${key} must be ${wanted}, not ${JSON.stringify(text)}`);
  }
  const has = (...names: string[]): boolean[] => names.map(name => options[name] !== undefined);
  for (const pair of [
    ['kv.certfile', 'kv.keyfile'],
    ['kv.username', 'kv.passwordfile'],
  ])
    if (new Set(has(...pair)).size > 1)
      throw new FormatError(`${where}: ${pair.join(' and ')} need each other`);
  const { 'discovery.heartbeat': heartbeat, 'discovery.ttl': ttl = TTL } = options;
  if (Number(heartbeat) >= Number(ttl))
    throw new FormatError(`${where}: discovery.heartbeat must be less than discovery.ttl`);
  return options;
};

/** @throws Error with one line when a setting is missing, or the password cannot be read */
export function clusterOptions(config: {
  'cluster-store'?: string | undefined;
  'cluster-advertise'?: string | undefined;
  'cluster-store-opts'?: Record<string, string> | undefined;
}): ClusterOptions | undefined {
  const {
    'cluster-store': store,
    'cluster-advertise': advertise,
    'cluster-store-opts': options = {},
  } = config;
  if (!store && !advertise) return undefined;
  if (!store || !advertise)
    throw new Error(
      'cluster-store and cluster-advertise need each other: etcd://HOST:PORT, and the address of this host',
    );
  const { 'kv.cacertfile': ca, 'kv.certfile': cert, 'kv.keyfile': key } = options;
  const { 'kv.username': name, 'kv.passwordfile': file, 'discovery.heartbeat': heartbeat } = options;
  const path = options['kv.path']?.replace(/^\/*|\/+$/g, '');
  return {
    store,
    advertise,
    ttl: Number(options['discovery.ttl'] ?? TTL),
    ...(heartbeat !== undefined && { heartbeat: Number(heartbeat) }),
    ...(path !== undefined && { path: path && `/${path}` }),
    ...((ca ?? cert) !== undefined && { tls: { ca, cert, key } }),
    ...(name !== undefined && { user: { name, password: passwordIn(file!) } }),
  };
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new Error(`cluster-store-opts: kv.passwordfile: ${(cause as Error).message}`, { cause });
  }
}
