// Settings of this network namespace. /proc/sys/net shows those of the opening thread, so this must not run
// on pool threads, which stay in the machine's namespace.

import { writeFileSync } from 'node:fs';
import { ownProc } from '../linux/own-proc.ts';
import { readQuietly } from '../linux/proc/file.ts';

/** @param name 'ipv4/ip_forward'; undefined when the kernel has no such setting, or the link is gone */
export function sysctl(name: string): string | undefined {
  return readQuietly(`${ownProc()}/sys/net/${name}`)?.trim();
}

/**
 * Does nothing if the kernel has no such setting, for example without IPv6, or if the value is already set.
 */
export function setSysctl(name: string, value: string): void {
  try {
    writeFileSync(`${ownProc()}/sys/net/${name}`, value);
  } catch (error) {
    const now = sysctl(name);
    if (now !== undefined && now !== value) throw error;
  }
}

/**
 * Settings that protect the host from containers, which are root in their networks and send arbitrary
 * packets.
 */
const DISTRUST: Record<string, string> = {
  // A router advertisement would give the host a default route through a container (CVE-2020-13401).
  'ipv6/accept_ra': '0',
  'ipv6/autoconf': '0',
  'ipv6/accept_redirects': '0',
  'ipv6/proxy_ndp': '0',
  'ipv4/accept_redirects': '0',
  'ipv4/secure_redirects': '0',
  'ipv4/send_redirects': '0',
  'ipv4/accept_source_route': '0',
  'ipv4/proxy_arp': '0',
};

/** For a bridge, before it comes up. */
export function distrust(bridge: string, options: { hasIpv6: boolean }): void {
  for (const [name, value] of Object.entries(DISTRUST)) {
    const [version, setting] = name.split('/');
    setSysctl(`${version}/conf/${bridge}/${setting}`, value);
  }
  // Not even an address that the kernel assigns by itself.
  if (!options.hasIpv6) setSysctl(`ipv6/conf/${bridge}/disable_ipv6`, '1');
}
