// The endpoints of registries and the trust in them; the names are those of dockerd's daemon.json.

import { BlockList, isIP } from 'node:net';
import { ImageError } from '../errors.ts';

export interface RegistrySettings {
  /** "registry-mirrors": URLs that are tried before docker.io itself. */
  mirrors?: readonly string[] | undefined;
  /**
   * "insecure-registries": hosts that may use plain HTTP or an untrusted certificate. host[:port] or CIDR.
   */
  insecure?: readonly string[] | undefined;
  /** Directory in which HOST/*.crt are certificates that are trusted for that host alone. */
  certificates?: string;
  /** "max-concurrent-downloads" and "max-concurrent-uploads". */
  maxDownloads?: number | undefined;
  maxUploads?: number | undefined;
  /** "max-download-attempts": how often a request is sent while it fails. */
  maxAttempts?: number | undefined;
  /** Why this daemon reaches no other machine, and the remedy; undefined if it does. */
  offline?: string | undefined;
}

export const DEFAULT_CERTIFICATES = '/etc/docker/certs.d';

/** A way to reach a registry. */
export interface Endpoint {
  /** URL without a trailing slash: 'https://registry-1.docker.io'. */
  base: string;
  /** Whether its certificate is not verified. */
  unverified: boolean;
  /** The user's name for it: 'docker.io'. */
  domain: string;
  isMirror: boolean;
  certificates: string;
  /** RegistrySettings.offline */
  offline?: string | undefined;
}

/** The host of docker.io's registry. */
const HUB = 'registry-1.docker.io';

/**
 * The ways to reach `domain`, best first. With `pull`, includes mirrors. @throws ImageError when a mirror is
 * not a URL
 */
export function endpointsOf(domain: string, settings: RegistrySettings, pull: boolean): Endpoint[] {
  const certificates = settings.certificates ?? DEFAULT_CERTIFICATES;
  const host = domain === 'docker.io' ? HUB : domain;
  const mirrors = domain === 'docker.io' && pull ? (settings.mirrors ?? []).map(mirrorUrl) : [];
  const bases = [...mirrors, ...schemesOf(host, settings).map(scheme => `${scheme}://${host}`)];
  return bases.map((base, index) => ({
    base,
    domain,
    isMirror: index < mirrors.length,
    certificates,
    ...(settings.offline === undefined ? {} : { offline: settings.offline }),
    unverified: isInsecure(new URL(base).host, settings),
  }));
}

function mirrorUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ImageError(`registry-mirrors: ${JSON.stringify(text)} is not an http or https URL`);
  }
  return text.replace(/\/+$/, '');
}

const schemesOf = (host: string, settings: RegistrySettings): string[] =>
  isInsecure(host, settings) ? ['https', 'http'] : ['https'];

const nameOf = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** Whether the host is this machine: 'localhost:5000', '[::1]:5000'. */
export function isLocal(host: string): boolean {
  const name = nameOf(host);
  return name === 'localhost' || contains('127.0.0.0/8', name) || contains('::1/128', name);
}

/** Addresses that only this machine or its link reaches; services there trust their callers. */
const OWN_ADDRESSES = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // Link-local: cloud providers serve a machine's secrets at 169.254.169.254.
  '169.254.0.0/16',
  '::/127',
  'fe80::/10',
];

/** Whether a remote registry may not redirect there. For a host name, only the name itself is considered. */
export function isOwnAddress(host: string): boolean {
  const name = nameOf(host);
  return /(^|\.)localhost\.?$/.test(name) || OWN_ADDRESSES.some(range => contains(range, name));
}

/** Registries on this machine are trusted, as in dockerd. */
function isInsecure(host: string, { insecure = [] }: RegistrySettings): boolean {
  if (isLocal(host)) return true;
  const name = nameOf(host);
  return insecure.some(each => each === host || each === name || contains(each, name));
}

function contains(range: string, address: string): boolean {
  const [network, bits] = range.split('/');
  const version = isIP(address);
  if (bits === undefined || version === 0 || isIP(network!) === 0) return false;
  const family = (of: number) => (of === 4 ? 'ipv4' : 'ipv6');
  const list = new BlockList();
  list.addSubnet(network!, Number(bits), family(isIP(network!)));
  // An IPv4 address may be written in IPv6, as ::ffff:127.0.0.1.
  return list.check(address, family(version));
}
