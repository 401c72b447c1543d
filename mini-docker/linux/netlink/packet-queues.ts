// Options of the queueing disciplines that make a network worse: netem(8) and tbf(8).
import { TCA_NETEM, TCA_TBF } from './constants.ts';
import { type Attribute, decodeAttributes, encodeAttributes, number } from './message.ts';

/** What happens to packets. Fractions are from 0 to 1. */
export interface Impairment {
  /** Nanoseconds. */
  delay?: number;
  /** Nanoseconds by which the delay varies to either side. */
  jitter?: number;
  loss?: number;
  duplicate?: number;
  /** Packets with one bit changed. */
  corrupt?: number;
  /** Packets that are not delayed, and so overtake others. */
  reorder?: number;
  /** Bytes per second. */
  rate?: number;
}

/** tbf can do no more than limit the rate; every other impairment needs netem, which can do it, too. */
export function impair(impairment: Impairment, mtu: number): { kind: string; options: Buffer } {
  const { rate, ...others } = impairment;
  return rate !== undefined && Object.keys(others).length === 0
    ? { kind: 'tbf', options: tbfOptions(rate, mtu) }
    : { kind: 'netem', options: netemOptions(impairment) };
}

/** The reverse of impair(); undefined for other disciplines. */
export function impairmentOf(queueing: { kind: string; options: Uint8Array }): Impairment | undefined {
  const options = Buffer.from(queueing.options);
  if (queueing.kind === 'tbf') return decodeTbf(options);
  return queueing.kind === 'netem' ? decodeNetem(options) : undefined;
}

/** Packets that wait at most, where no rate makes them wait. */
const MOST_PACKETS = 10_000;
/** Seconds that a packet waits at most because of the rate; later ones are dropped, as a router's full queue does. */
const LONGEST_WAIT = 0.2;

/** struct tc_netem_qopt (latency, limit, loss, gap, duplicate, jitter), and attributes. */
function netemOptions(impairment: Impairment): Buffer {
  const { delay = 0, jitter = 0, loss = 0, duplicate = 0, corrupt, reorder, rate } = impairment;
  const head = Buffer.alloc(24);
  const waiting = rate === undefined ? MOST_PACKETS : Math.ceil((rate * (delay / 1e9 + LONGEST_WAIT)) / 1500);
  head.writeUInt32LE(Math.min(MOST_PACKETS, Math.max(50, waiting)), 4);
  head.writeUInt32LE(share(loss), 8);
  head.writeUInt32LE(reorder === undefined ? 0 : 1, 12);
  head.writeUInt32LE(share(duplicate), 16);
  const attributes: Attribute[] = [
    [TCA_NETEM.LATENCY64, u64(delay)],
    [TCA_NETEM.JITTER64, u64(jitter)],
  ];
  const withCorrelation = (fraction: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(share(fraction), 0);
    return bytes;
  };
  if (reorder !== undefined) attributes.push([TCA_NETEM.REORDER, withCorrelation(reorder)]);
  if (corrupt !== undefined) attributes.push([TCA_NETEM.CORRUPT, withCorrelation(corrupt)]);
  if (rate !== undefined) {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(Math.min(rate, 0xffff_ffff), 0);
    attributes.push([TCA_NETEM.RATE, bytes], [TCA_NETEM.RATE64, u64(rate)]);
  }
  return Buffer.concat([head, encodeAttributes(attributes)]);
}

function decodeNetem(options: Buffer): Impairment {
  const attributes = decodeAttributes(options.subarray(24));
  const of = (type: number): number => number(attributes.get(type)?.subarray(0, 4) ?? Buffer.alloc(4));
  const whole = (type: number): number => number(attributes.get(type) ?? Buffer.alloc(8));
  const all: Required<Impairment> = {
    delay: whole(TCA_NETEM.LATENCY64),
    jitter: whole(TCA_NETEM.JITTER64),
    loss: fraction(options.readUInt32LE(8)),
    duplicate: fraction(options.readUInt32LE(16)),
    corrupt: fraction(of(TCA_NETEM.CORRUPT)),
    reorder: fraction(of(TCA_NETEM.REORDER)),
    rate: attributes.has(TCA_NETEM.RATE64) ? whole(TCA_NETEM.RATE64) : of(TCA_NETEM.RATE),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value > 0));
}

/** struct tc_tbf_qopt (rate, peakrate, limit, buffer, mtu), and attributes. */
function tbfOptions(rate: number, mtu: number): Buffer {
  // At least two packets, and what comes in 10 ms: the kernel sends when its timer fires.
  const burst = Math.min(0xffff_ffff, Math.max(2 * (mtu + ETHERNET_HEADER), Math.ceil(rate / 100)));
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32LE(Math.min(0xffff_ffff, Math.max(20 * mtu, Math.ceil(rate * LONGEST_WAIT)) + burst), 0);
  return encodeAttributes([
    [TCA_TBF.PARMS, Buffer.concat([rateSpec(rate), Buffer.alloc(12), numbers])],
    [TCA_TBF.BURST, burst],
    // The kernel takes it only where 32 bits do not suffice.
    ...(rate > 0xffff_ffff ? [[TCA_TBF.RATE64, u64(rate)] as const] : []),
  ]);
}

function decodeTbf(options: Buffer): Impairment {
  const attributes = decodeAttributes(options);
  const large = attributes.get(TCA_TBF.RATE64);
  return { rate: large ? number(large) : (attributes.get(TCA_TBF.PARMS)?.readUInt32LE(8) ?? 0) };
}

const ETHERNET_HEADER = 14;
/** TC_LINKLAYER_ETHERNET: the kernel computes times from the rate, and needs no table of them. */
const LINKLAYER_ETHERNET = 1;

/** struct tc_ratespec. @param rate bytes per second */
export function rateSpec(rate: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(LINKLAYER_ETHERNET, 1);
  bytes.writeUInt32LE(Math.min(rate, 0xffff_ffff), 8);
  return bytes;
}

/** Nanoseconds → the unit of time of disciplines, 64 ns (PSCHED_SHIFT; /proc/net/psched). */
export const ticks = (nanoseconds: number): number => Math.round(nanoseconds / 64);

const share = (part: number): number => Math.round(part * 0xffff_ffff);
const fraction = (share: number): number => Number((share / 0xffff_ffff).toFixed(7));

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(Math.round(value)));
  return bytes;
}
