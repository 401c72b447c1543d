// Chooses a subnet for a network without one: the first that is not in use.
import { badParameter, forbidden } from '../formats/errors.ts';
import type { AddressRange } from '../formats/network-options.ts';
import {
  contains,
  decodeSubnet,
  firstAddress,
  lastAddress,
  overlaps,
  type Subnet,
  toAddress,
} from './subnet.ts';

/** Docker's: /16 networks from 172.17.0.0 on, then /20 of 192.168.0.0/16. */
const DEFAULT_RANGES: readonly AddressRange[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/15', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/13', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

/**
 * @param taken subnets of other networks, and the host's routes
 * @throws forbidden when all are taken
 */
export function choosePool(
  taken: readonly Subnet[],
  ranges: readonly AddressRange[] = DEFAULT_RANGES,
): Subnet {
  for (const range of ranges) {
    const free = freeIn(range, taken);
    if (free !== undefined) return free;
  }
  throw forbidden(
    'all predefined address pools have been fully subnetted: remove networks that are not in use (network prune), or name a subnet with --subnet',
  );
}

/** Steps over what is taken, so that a range of millions of subnets costs no more than there are networks. */
function freeIn({ base, size }: AddressRange, taken: readonly Subnet[]): Subnet | undefined {
  const whole = decodeSubnet(base);
  if (whole === undefined || whole.family !== 4) return undefined;
  const step = 2n ** BigInt(32 - size);
  const last = lastAddress(whole);
  for (let first = firstAddress(whole); first + step - 1n <= last; ) {
    const subnet = decodeSubnet(`${toAddress(first, 4)}/${size}`)!;
    const other = taken.find(each => overlaps(subnet, each));
    if (other === undefined) return subnet;
    const behind = lastAddress(other) + 1n;
    first = behind % step === 0n ? behind : (behind / step + 1n) * step;
  }
  return undefined;
}

/** @throws badParameter when a range cannot be divided so */
export function checkRanges(ranges: readonly AddressRange[]): void {
  for (const { base, size } of ranges) {
    const whole = decodeSubnet(base);
    if (whole !== undefined && size >= whole.prefixLength && size <= (whole.family === 4 ? 30 : 126))
      continue;
    throw badParameter(`default-address-pools: ${base} cannot be divided into networks of ${size} bits`);
  }
}

/** fd00::/8 (RFC 4193) with 40 bits unique to this network, so that hosts can be joined without clashes. */
export function uniqueLocalPool(networkId: string): Subnet {
  const groups = networkId.slice(0, 10).match(/^(..)(....)(....)$/)!;
  return decodeSubnet(`fd${groups[1]}:${groups[2]}:${groups[3]}::/64`)!;
}

/**
 * Whether a network must not cover this route of the host: any except the default route, which covers
 * everything.
 */
export function isOccupied(route: { address: string; prefixLength: number }): boolean {
  return route.prefixLength > 0 && !contains(decodeSubnet('fe80::/10')!, route.address);
}
