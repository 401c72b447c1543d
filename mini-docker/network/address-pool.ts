// Allocates the addresses of one subnet, lowest first, as Docker does. An address may be given out again at
// once: its MAC address follows from it, so that what neighbours remember stays true.
import { isIP } from 'node:net';
import { badParameter, forbidden } from '../formats/errors.ts';
import {
  contains,
  decodeSubnet,
  firstAddress,
  lastAddress,
  type Subnet,
  toAddress,
  toNumber,
} from './subnet.ts';

export interface AddressPool {
  readonly subnet: Subnet;
  /**
   * Takes `wanted`, or `preferred` if it is free, or the next free one. @throws ExpectedError when it is
   * taken, not in the subnet, or none is left
   */
  take(wanted?: string, preferred?: string): string;
  giveBack(address: string): void;
  isFree(address: string): boolean;
}

/** Gives addresses back to the pools of their families; '' belongs to none. */
export function giveBack(pools: readonly AddressPool[], ...addresses: readonly string[]): void {
  for (const address of addresses)
    for (const pool of pools) if (pool.subnet.family === isIP(address)) pool.giveBack(address);
}

export interface AddressPoolOptions {
  /** The network's name, for errors. */
  network: string;
  subnet: string;
  /** Range from which addresses are chosen; wanted ones may lie outside. */
  range?: string | undefined;
  /** Addresses that are never allocated: the gateway, auxiliary addresses. */
  reserved: readonly string[];
}

export function createAddressPool(options: AddressPoolOptions): AddressPool {
  const { network } = options;
  const subnet = decodeSubnet(options.subnet)!;
  const range = (options.range && decodeSubnet(options.range)) || subnet;
  const reserved = new Set(options.reserved.map(toNumber));
  const taken = new Set<bigint>();
  const { first, last } = usable(subnet);
  const from = max(first, firstAddress(range));
  const to = min(last, lastAddress(range));
  /** No address from which to choose is free below this one. */
  let lowest = from;

  const isFree = (value: bigint): boolean => !taken.has(value) && !reserved.has(value);

  const chosen = (): bigint => {
    while (lowest <= to && !isFree(lowest)) lowest++;
    if (lowest <= to) return lowest;
    const family = subnet.family === 4 ? 'IPv4' : 'IPv6';
    throw forbidden(
      `no available ${family} addresses on this network's address pools: ${network} (${options.range ?? options.subnet})`,
    );
  };

  const isUsable = (address: string): boolean => {
    const value = contains(subnet, address) ? toNumber(address) : first - 1n;
    return value >= first && value <= last && isFree(value);
  };

  const checked = (wanted: string): bigint => {
    if (!contains(subnet, wanted)) {
      throw badParameter(
        `invalid address ${wanted}: it does not belong to the subnet of network ${network}, which is ${options.subnet}`,
      );
    }
    if (!isUsable(wanted)) throw forbidden(`Address already in use: ${wanted} on network ${network}`);
    return toNumber(wanted);
  };

  return {
    subnet,
    isFree: isUsable,
    take(wanted, preferred) {
      const again = wanted === undefined && preferred !== undefined && isUsable(preferred);
      const value = wanted !== undefined ? checked(wanted) : again ? toNumber(preferred) : chosen();
      taken.add(value);
      return toAddress(value, subnet.family);
    },
    giveBack(address) {
      const value = toNumber(address);
      taken.delete(value);
      if (value >= from) lowest = min(lowest, value);
    },
  };
}

/**
 * All addresses except the network's own and the broadcast address, which tiny subnets (RFC 3021) do not
 * have.
 */
export function usable(subnet: Subnet): { first: bigint; last: bigint } {
  const first = firstAddress(subnet);
  const last = lastAddress(subnet);
  if (last - first < 3n) return { first, last };
  return { first: first + 1n, last: subnet.family === 4 ? last - 1n : last };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
