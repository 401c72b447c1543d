// Chooses a subnet for a network without one: the first unused of docker's default pools.
import { ExpectedError } from '../formats/errors.ts';
import { contains, decodeSubnet, overlaps, type Subnet } from './subnet.ts';

/** Docker's defaults: fifteen /16 networks from 172.17.0.0 on, then sixteen /20 of 192.168.0.0/16. */
const DEFAULT_POOLS: readonly Subnet[] = [
  ...Array.from({ length: 15 }, (_, index) => `172.${17 + index}.0.0/16`),
  ...Array.from({ length: 16 }, (_, index) => `192.168.${16 * index}.0/20`),
].map(text => decodeSubnet(text)!);

/**
 * @param taken subnets of other networks, and the host's routes
 * @throws ExpectedError when all are taken
 */
export function choosePool(taken: readonly Subnet[]): Subnet {
  const free = DEFAULT_POOLS.find(pool => !taken.some(other => overlaps(pool, other)));
  if (free) return free;
  throw new ExpectedError(
    'forbidden',
    'all predefined address pools have been fully subnetted: remove networks that are not in use (network prune), or name a subnet with --subnet',
  );
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
