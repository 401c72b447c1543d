// The container's own /etc/hostname, /etc/hosts and /etc/resolv.conf: files beside its record, bind mounted,
// so that they never become part of an image. Each start makes them anew. While the container runs they are
// written in place, since it has these very files mounted. Its programs may have filled them, executed them,
// or taken a lease on them; then only the container itself suffers, since it misses a change.

import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  linkSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename } from 'node:path';
import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { readBounded } from '../../linux/plain-file.ts';
import { readQuietly } from '../../linux/proc/file.ts';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import { decodeResolvConf } from '../../network/dns/resolv-conf.ts';
import { resolvConfForContainers } from '../../network/dns/upstream.ts';
import type { ContainerPaths } from '../core/paths.ts';
import { decodeExtraHost } from '../spec/check-network.ts';
import type { EngineContext } from '../state/context.ts';
import { ownersOnHost } from '../state/id-mappings.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import { linkedFrom, linkedHosts } from './links.ts';
import { namespacePid, sharedWith, sharers } from './owner.ts';

export type EtcFiles = Pick<ContainerPaths, 'hostname' | 'hosts' | 'resolvConf'>;

const LOCALHOST = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

export function etcFiles(context: EngineContext, record: ContainerRecord): EtcFiles {
  return context.paths.container(record.id);
}

/**
 * Makes the files, so that they can be mounted; their content depends on the networks and follows later.
 * Containers that share a network share the files by hard links, so that they stay when one container ends.
 */
export function makeEtcFiles(context: EngineContext, record: ContainerRecord): void {
  const { hostname, hosts, resolvConf } = etcFiles(context, record);
  for (const path of [hostname, hosts, resolvConf]) removeTreeNow(path);
  const other = context.containers.find(sharedWith(record) ?? '') ?? sharers(context, record.id)[0];
  if (other !== undefined) {
    const theirs = etcFiles(context, other.record);
    for (const [from, to] of [
      [theirs.hostname, hostname],
      [theirs.hosts, hosts],
      [theirs.resolvConf, resolvConf],
    ] as const)
      if (existsSync(from)) linkSync(from, to);
  }
  const root = ownersOnHost(record.hostConfig)?.({ uid: 0, gid: 0 });
  const ownName = `${record.config.Hostname ?? ''}\n`;
  for (const [path, text] of [
    [hostname, ownName],
    [hosts, ''],
    [resolvConf, ''],
  ] as const) {
    if (other !== undefined && existsSync(path)) continue;
    writeFileSync(path, text, { flag: 'wx' });
    if (root !== undefined) chownSync(path, root.uid, root.gid);
  }
}

/** Writes the content, once the networks are connected and before the program runs. */
export function fillEtcFiles(context: EngineContext, record: ContainerRecord): void {
  if (sharedWith(record) !== undefined) return;
  const files = etcFiles(context, record);
  const isHost = record.hostConfig.NetworkMode === 'host';
  const base = isHost ? (readQuietly('/etc/hosts') ?? '') : LOCALHOST;
  const hosts = [base, ...hostLines(context, record)].join('');
  rewrite(context, record, { path: files.resolvConf, text: bytewise(ownResolvConf(context, record)) });
  rewrite(context, record, { path: files.hosts, text: bytewise(hosts) });
}

/**
 * Rewrites the parts of the files that depend on the networks, before and after these change under a running
 * container. Lines that its programs wrote stay.
 */
export async function whileNetworksChange(
  context: EngineContext,
  live: LiveContainer,
  change: () => Promise<void>,
): Promise<void> {
  const { record } = live;
  if (namespacePid(context, live) === undefined) return change();
  const files = etcFiles(context, record);
  const look = () => ({
    lines: hostLines(context, record).map(bytewise),
    resolvConf: bytewise(ownResolvConf(context, record)),
  });
  const before = look();
  await change();
  const after = look();
  rewrite(context, record, {
    path: files.hosts,
    change: text => replaceLines(text, before.lines, after.lines),
  });
  rewrite(context, record, {
    path: files.resolvConf,
    change: text => (text === before.resolvConf ? after.resolvConf : text),
  });
}

/** Decodes one character per byte: programs may write anything into the files, not only UTF-8. */
const bytewise = (text: string): string => Buffer.from(text).toString('latin1');

/**
 * Neither blocks nor fails, whatever the container did to its file. Takes bytes: the whole text, or a change of the present
 * one.
 */
function rewrite(
  context: EngineContext,
  record: ContainerRecord,
  options: { path: string } & ({ text: string } | { change(text: string): string }),
): void {
  const { path } = options;
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const text = 'text' in options ? options.text : options.change(present(fd));
    const next = Buffer.from(text, 'latin1');
    for (let at = 0; at < next.length; ) at += writeSync(fd, next, at, next.length - at, at);
    ftruncateSync(fd, next.length);
  } catch (error) {
    const reason = (error as Error).message;
    context.warn(`container ${record.name}: cannot update its ${basename(path)}: ${reason}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function present(fd: number): string {
  const found = readBounded(fd);
  if (found === undefined) throw new Error('it is too large');
  return found.toString('latin1');
}

/** Updates the containers that link to this one, since its address may have changed. */
export function tellLinked(context: EngineContext, live: LiveContainer): void {
  for (const { record } of linkedFrom(context, live)) fillEtcFiles(context, record);
}

function replaceLines(text: string, before: string[], after: string[]): string {
  const gone = new Set(before.filter(line => !after.includes(line)));
  const kept = text.split(/(?<=\n)/).filter(line => !gone.has(line));
  return [...kept, ...after.filter(line => !before.includes(line))].join('');
}

function hostLines(context: EngineContext, record: ContainerRecord): string[] {
  const extra = (record.hostConfig.ExtraHosts ?? []).map(entry => extraHost(context, record, entry));
  if (record.hostConfig.NetworkMode === 'host') return extra;
  return [...extra, ...linkedHosts(context, record), ...ownNames(record)];
}

function ownNames({ config, networks }: ContainerRecord): string[] {
  const hostname = config.Hostname ?? '';
  if (hostname === '') return [];
  const full = config.Domainname ? `${hostname}.${config.Domainname}` : hostname;
  // Programs look up the host by its short name, too.
  const short = full.split('.', 1)[0]!;
  const names = short === full || short === '' ? full : `${full} ${short}`;
  return Object.values(networks).flatMap(({ IPAddress, GlobalIPv6Address }) =>
    [IPAddress, GlobalIPv6Address].filter(Boolean).map(address => `${address}\t${names}\n`),
  );
}

function extraHost(context: EngineContext, record: ContainerRecord, entry: string): string {
  const { name, address } = decodeExtraHost(entry);
  const addresses = address === 'host-gateway' ? hostAddresses(context, record) : [address];
  return addresses.map(each => `${each}\t${name}\n`).join('');
}

/**
 * The addresses of the bridge that the container is connected to; on the default bridge Docker uses the same.
 * Docker uses it on every network, but here that bridge exists only while a container is on it.
 */
function hostAddresses(context: EngineContext, record: ContainerRecord): string[] {
  if (context.defaults.hostGateway !== undefined) return context.defaults.hostGateway;
  if (record.hostConfig.NetworkMode === 'host') return ['127.0.0.1'];
  const connected = Object.entries(record.networks).find(([, { IPAddress }]) => IPAddress);
  const { IPAM } = context.networks.definition(connected?.[0] ?? 'bridge');
  return IPAM.Config.flatMap(({ Gateway }) => Gateway || []);
}

function ownResolvConf({ defaults }: EngineContext, { hostConfig, networks }: ContainerRecord): string {
  const isHost = hostConfig.NetworkMode === 'host';
  const ofHost = isHost ? (readQuietly('/etc/resolv.conf') ?? '') : resolvConfForContainers();
  const hasNameServer = Object.values(networks).some(({ DNSNames }) => (DNSNames?.length ?? 0) > 0);
  const { Dns, DnsSearch, DnsOptions } = hostConfig;
  const host = {
    ...hostConfig,
    Dns: Dns?.length || isHost ? (Dns ?? []) : (defaults.dns ?? []),
    DnsSearch: DnsSearch?.length || isHost ? (DnsSearch ?? []) : (defaults.dnsSearch ?? []),
    DnsOptions: DnsOptions?.length || isHost ? (DnsOptions ?? []) : (defaults.dnsOptions ?? []),
  };
  return resolvConf(host, { ofHost, hasNameServer });
}

/** Docker's fallback for a host that has no servers, or only servers on its own loopback. */
const PUBLIC_NAME_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** The name server in the container; it forwards queries that it cannot answer (network/dns/server.ts). */
const OWN_NAME_SERVER = '127.0.0.11';

/**
 * The host's servers, unless the user chose others. A server on the host's loopback cannot be reached from
 * another network namespace and is left out. On networks with names, the container's own server is the only
 * one.
 */
export function resolvConf(
  host: HostConfig,
  { ofHost, hasNameServer = false }: { ofHost: string; hasNameServer?: boolean },
): string {
  const isAsked = host.Dns?.length || host.DnsSearch?.length || host.DnsOptions?.length;
  if (host.NetworkMode === 'host' && !isAsked) return ofHost;
  const fromHost = decodeResolvConf(ofHost);
  const reachable = fromHost.nameservers.filter(isReachable(host));
  const asked = host.Dns?.length ? host.Dns : reachable.length > 0 ? reachable : PUBLIC_NAME_SERVERS;
  const servers = hasNameServer ? [OWN_NAME_SERVER] : asked;
  const search = host.DnsSearch?.length ? host.DnsSearch.filter(each => each !== '.') : fromHost.search;
  const options = host.DnsOptions?.length ? [...host.DnsOptions] : fromHost.options;
  // A name without a dot means a container first, and not a host in a search domain.
  if (hasNameServer && !options.some(option => option.startsWith('ndots:'))) options.push('ndots:0');
  return [
    ...servers.map(server => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(' ')}\n` : '',
    options.length > 0 ? `options ${options.join(' ')}\n` : '',
  ].join('');
}

function isReachable(host: HostConfig): (server: string) => boolean {
  return server => host.NetworkMode === 'host' || !/^(127\.|::1$)/.test(server);
}
