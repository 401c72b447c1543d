// Where a registry is, and how far it is trusted: the names are those of dockerd's daemon.json.

import { BlockList, isIP } from 'node:net';
import { ImageError } from '../errors.ts';

export interface RegistrySettings {
  /** "registry-mirrors": asked before docker.io itself. URLs. */
  mirrors?: readonly string[];
  /** "insecure-registries": plain HTTP, or a certificate that nobody vouches for, is good enough. host[:port] or CIDR. */
  insecure?: readonly string[];
  /** Below it HOST/*.crt are certificates that vouch for that host alone. */
  certificates?: string;
  /** "max-concurrent-downloads" and "max-concurrent-uploads". */
  maxDownloads?: number;
  maxUploads?: number;
}

export const DEFAULT_CERTIFICATES = '/etc/docker/certs.d';

/** One way to reach a registry. */
export interface Endpoint {
  /** Without a slash at the end: 'https://registry-1.docker.io'. */
  base: string;
  /** Do not ask who vouches for its certificate. */
  unverified: boolean;
  /** As the user knows it: 'docker.io'. */
  domain: string;
  isMirror: boolean;
  certificates: string;
}

/** docker.io is a name; its registry is another host. */
const HUB = 'registry-1.docker.io';

/** Ways to reach `domain`, the best first. With `pull` also mirrors. Throws ImageError for a mirror that is no URL. */
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

/** On this machine: 'localhost:5000', '[::1]:5000'. */
export function isLocal(host: string): boolean {
  const name = nameOf(host);
  return name === 'localhost' || contains('127.0.0.0/8', name) || contains('::1/128', name);
}

/** Where only this machine, or its cable, is reached: what listens there takes callers for friends. */
const OWN_ADDRESSES = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // Link-local: a cloud tells a machine its secrets at 169.254.169.254.
  '169.254.0.0/16',
  '::/127',
  'fe80::/10',
];

/** Whether a stranger must not send us there. Of a name that is not an address: only what it says itself. */
export function isOwnAddress(host: string): boolean {
  const name = nameOf(host);
  return /(^|\.)localhost\.?$/.test(name) || OWN_ADDRESSES.some(range => contains(range, name));
}

/** What is on this machine is trusted, as dockerd does it. */
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
  // An IPv4 address may be written as one of IPv6, ::ffff:127.0.0.1.
  return list.check(address, family(version));
}
