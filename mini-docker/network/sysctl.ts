// Settings of this network namespace. /proc/sys/net shows those of the thread that opens a file there: no pool threads
// here, which stay in the machine's namespace.
import { readFileSync, writeFileSync } from 'node:fs';

/** @param name 'ipv4/ip_forward'; undefined where the kernel has no such setting, or the link is gone */
export function sysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Nothing happens where the kernel has no such setting, as without IPv6, and where it is so already. */
export function setSysctl(name: string, value: string): void {
  const now = sysctl(name);
  if (now !== undefined && now !== value) writeFileSync(`/proc/sys/net/${name}`, value);
}

/** What the host must not take from containers, which are root in their networks and send what they like. */
const DISTRUST: Record<string, string> = {
  // A router's advertisement would give the host a default route through a container (CVE-2020-13401).
  'ipv6/accept_ra': '0',
  'ipv6/autoconf': '0',
  'ipv6/accept_redirects': '0',
  'ipv6/proxy_ndp': '0',
  'ipv4/accept_redirects': '0',
  'ipv4/secure_redirects': '0',
  'ipv4/send_redirects': '0',
  'ipv4/accept_source_route': '0',
  'ipv4/proxy_arp': '0',
  // A packet whose sender would be answered through another link is forged.
  'ipv4/rp_filter': '1',
};

/** For a bridge, before it comes up. */
export function distrust(bridge: string, options: { hasIpv6: boolean }): void {
  for (const [name, value] of Object.entries(DISTRUST)) {
    const [version, setting] = name.split('/');
    setSysctl(`${version}/conf/${bridge}/${setting}`, value);
  }
  // Not even an address that the kernel gives by itself.
  if (!options.hasIpv6) setSysctl(`ipv6/conf/${bridge}/disable_ipv6`, '1');
}
