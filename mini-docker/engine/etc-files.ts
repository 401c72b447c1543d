// The container's own /etc/hostname, /etc/hosts and /etc/resolv.conf: files beside its record, bind mounted, so that
// they never become part of an image.

import { readFileSync, writeFileSync } from 'node:fs';
import type { HostConfig } from '../formats/engine-api.ts';
import type { EngineContext } from './context.ts';
import { badParameter } from './errors.ts';
import type { ContainerPaths } from './paths.ts';
import type { ContainerRecord } from './record.ts';

export type EtcFiles = Pick<ContainerPaths, 'hostname' | 'hosts' | 'resolvConf'>;

const LOCALHOST = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** Where they lie: with `--network container:NAME` they are the other container's. */
export function etcFiles(context: EngineContext, record: ContainerRecord): EtcFiles {
  const shared = /^container:(.+)$/.exec(record.hostConfig.NetworkMode ?? '')?.[1];
  const id = shared === undefined ? record.id : context.containers.get(shared).id;
  return context.paths.container(id);
}

/** Writes them before the start. Addresses are not known yet: writeHosts() comes again when they are. */
export function writeEtcFiles(context: EngineContext, record: ContainerRecord): void {
  const { hostConfig, config } = record;
  if (hostConfig.NetworkMode?.startsWith('container:')) return;
  const files = etcFiles(context, record);
  writeFileSync(files.hostname, `${config.Hostname ?? ''}\n`);
  writeFileSync(files.resolvConf, resolvConf(hostConfig, readHost('/etc/resolv.conf')));
  writeHosts(context, record);
}

/** Written in place: the running container has this very file mounted. */
export function writeHosts(context: EngineContext, record: ContainerRecord): void {
  const { hosts } = etcFiles(context, record);
  const isHost = record.hostConfig.NetworkMode === 'host';
  const base = isHost ? readHost('/etc/hosts') : LOCALHOST;
  const extra = (record.hostConfig.ExtraHosts ?? []).map(entry => extraHost(entry, record));
  writeFileSync(hosts, [base, ...extra, ...(isHost ? [] : ownNames(record))].join(''));
}

function ownNames({ config, networks }: ContainerRecord): string[] {
  const hostname = config.Hostname ?? '';
  if (hostname === '') return [];
  const names = config.Domainname ? `${hostname}.${config.Domainname} ${hostname}` : hostname;
  return Object.values(networks).flatMap(({ IPAddress, GlobalIPv6Address }) =>
    [IPAddress, GlobalIPv6Address].filter(Boolean).map(address => `${address}\t${names}\n`),
  );
}

/** 'name:address' or 'name=address'; the address host-gateway is that of the default bridge. */
function extraHost(entry: string, record: ContainerRecord): string {
  const at = entry.search(/[:=]/);
  const [name, address] = [entry.slice(0, at), entry.slice(at + 1)];
  if (at < 1 || address === '') throw badParameter(`bad format for add-host: ${JSON.stringify(entry)}`);
  const gateway = Object.values(record.networks).find(network => network.Gateway)?.Gateway;
  if (address === 'host-gateway') return gateway ? `${gateway}\t${name}\n` : '';
  return `${address.replace(/^\[|\]$/g, '')}\t${name}\n`;
}

/**
 * The host's, unless the user said otherwise. A server on the host's own loopback cannot be reached from a network
 * namespace of one's own and is left out.
 */
export function resolvConf(host: HostConfig, ofHost: string): string {
  if (
    host.NetworkMode === 'host' &&
    !host.Dns?.length &&
    !host.DnsSearch?.length &&
    !host.DnsOptions?.length
  ) {
    return ofHost;
  }
  const lines = ofHost.split('\n').map(line => line.trim());
  const fromHost = (keyword: string) =>
    lines.filter(line => line.startsWith(`${keyword} `)).flatMap(line => line.split(/\s+/).slice(1));
  const ownServers = host.Dns ?? [];
  const servers = ownServers.length > 0 ? ownServers : fromHost('nameserver').filter(isReachable(host));
  const search = host.DnsSearch?.length ? host.DnsSearch.filter(each => each !== '.') : fromHost('search');
  const options = host.DnsOptions?.length ? host.DnsOptions : fromHost('options');
  return [
    ...servers.map(server => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(' ')}\n` : '',
    options.length > 0 ? `options ${options.join(' ')}\n` : '',
  ].join('');
}

function isReachable(host: HostConfig): (server: string) => boolean {
  return server => host.NetworkMode === 'host' || !/^(127\.|::1$)/.test(server);
}

function readHost(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
