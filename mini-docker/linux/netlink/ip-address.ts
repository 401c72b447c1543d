// IP addresses and MAC addresses as the bytes of netlink attributes.
import { isIPv4, isIPv6 } from 'node:net';
import { AF } from '../constants.ts';

/** An address as bytes: 4 for IPv4, 16 for IPv6. @throws TypeError when the text is not an IP address */
export function encodeIp(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) throw new TypeError(`"${address}" is not an IP address`);
  const [head = '', tail] = withoutDottedEnd(address).split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const before = groups(head);
  const after = groups(tail);
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex');
}

/** '::ffff:10.0.0.1' → '::ffff:a00:1' */
function withoutDottedEnd(address: string): string {
  if (!address.includes('.')) return address;
  const start = address.lastIndexOf(':') + 1;
  const hex = Buffer.from(address.slice(start).split('.').map(Number)).toString('hex');
  return `${address.slice(0, start)}${hex.slice(0, 4)}:${hex.slice(4)}`;
}

/** Text of an address of 4 or 16 bytes; IPv6 in its canonical form (RFC 5952). */
export function decodeIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const hex = Buffer.from(bytes).toString('hex');
  const groups = (hex.match(/.{4}/g) ?? []).map(group => group.replace(/^0{1,3}/, ''));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** The address family of a text address. */
export function familyOf(address: string): number {
  return isIPv4(address) ? AF.INET : AF.INET6;
}

/** '02:42:ac:11:00:02' → 6 bytes. @throws TypeError when the text is not a MAC address */
export function encodeMac(mac: string): Buffer {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac)) throw new TypeError(`"${mac}" is not a MAC address`);
  return Buffer.from(mac.replaceAll(/[:-]/g, ''), 'hex');
}

export function decodeMac(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':');
}
