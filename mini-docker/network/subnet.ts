// Subnets in CIDR notation, and arithmetic with their addresses. An address is a bigint; its family is the
// subnet's.
import { isIP } from 'node:net';
import { decodeIp, encodeIp } from '../linux/netlink/ip-address.ts';

export interface Subnet {
  family: 4 | 6;
  /** The first address, whose host bits are 0. */
  base: bigint;
  prefixLength: number;
}

/**
 * '172.17.0.0/16' → its parts; undefined when it is not a subnet. Host bits are dropped, as in docker:
 * 10.0.0.7/8 is 10.0.0.0/8.
 */
export function decodeSubnet(text: string): Subnet | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  const prefixLength = Number(length);
  if ((family !== 4 && family !== 6) || address.includes('%') || prefixLength > bits(family))
    return undefined;
  const hostBits = BigInt(bits(family) - prefixLength);
  return { family, base: (toNumber(address) >> hostBits) << hostBits, prefixLength };
}

export function encodeSubnet(subnet: Subnet): string {
  return `${toAddress(subnet.base, subnet.family)}/${subnet.prefixLength}`;
}

/** The address as a number: '0.0.1.2' → 258n. */
export function toNumber(address: string): bigint {
  return BigInt(`0x${encodeIp(address).toString('hex')}`);
}

export function toAddress(value: bigint, family: 4 | 6): string {
  return decodeIp(Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex'));
}

export function firstAddress(subnet: Subnet): bigint {
  return subnet.base;
}

export function lastAddress(subnet: Subnet): bigint {
  return subnet.base + (1n << BigInt(bits(subnet.family) - subnet.prefixLength)) - 1n;
}

export function contains(subnet: Subnet, address: string): boolean {
  if (isIP(address) !== subnet.family) return false;
  const value = toNumber(address);
  return value >= firstAddress(subnet) && value <= lastAddress(subnet);
}

export function containsSubnet(outer: Subnet, inner: Subnet): boolean {
  return overlaps(outer, inner) && outer.prefixLength <= inner.prefixLength;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.family === b.family && firstAddress(a) <= lastAddress(b) && firstAddress(b) <= lastAddress(a);
}

function bits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}
