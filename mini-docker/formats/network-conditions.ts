// Conditions and partitions of networks, additions to Docker's API: /mini-docker/network-conditions and
// /mini-docker/network-partition. Values are words, as people write them: '100ms', '1%', '1mbit'.

import { decodeDuration, encodeDuration } from './durations.ts';
import { FormatError } from './errors.ts';
import { array, type Infer, object, string, strings } from './schema.ts';

const condition = {
  delay: string,
  jitter: string,
  loss: string,
  duplicate: string,
  corrupt: string,
  reorder: string,
  rate: string,
};

/** POST /mini-docker/network-conditions */
export const networkConditionBody = object(
  {
    ...condition,
    /** An address, or a container: only for packets exchanged with it. */
    to: string,
  },
  { target: string },
);
export type NetworkConditionBody = Infer<typeof networkConditionBody>;
export type NetworkCondition = Omit<NetworkConditionBody, 'to' | 'target'>;

/** An element of GET /mini-docker/network-conditions: what the kernel does with a container's packets. */
export interface ShownCondition extends NetworkCondition {
  container: string;
  network: string;
  interface: string;
  /** Addresses, with the container's name where one has them; [] for all packets. */
  to: string[];
}

/** POST /mini-docker/network-partition: names of containers, in groups that do not reach each other. */
export const networkPartitionBody = object({}, { groups: array(strings) });
export type NetworkPartition = Infer<typeof networkPartitionBody>;

/** Numbers for the kernel: nanoseconds, fractions from 0 to 1, bytes per second. */
export type ConditionNumbers = { [K in keyof NetworkCondition]?: number };

/** @throws FormatError when a value is not one, or the values do not fit together */
export function decodeCondition(given: NetworkCondition): ConditionNumbers {
  const numbers: ConditionNumbers = {};
  for (const key of Object.keys(READ) as (keyof NetworkCondition)[]) {
    const text = given[key];
    if (text === undefined) continue;
    const value = READ[key](text);
    if (value === undefined) throw new FormatError(`invalid ${key} ${JSON.stringify(text)}: ${WANTED[key]}`);
    numbers[key] = value;
  }
  if (Object.keys(numbers).length === 0)
    throw new FormatError(`a condition needs one of ${Object.keys(READ).join(', ')}`);
  for (const key of ['jitter', 'reorder'] as const)
    if (numbers[key] !== undefined && numbers.delay === undefined)
      throw new FormatError(`${key} needs a delay: ${WHY[key]}`);
  if (numbers.jitter! > numbers.delay!)
    throw new FormatError(
      'the jitter is longer than the delay, so that packets would arrive before they are sent',
    );
  return numbers;
}

export function encodeCondition(numbers: ConditionNumbers): NetworkCondition {
  const shown: NetworkCondition = {};
  for (const [key, value] of Object.entries(numbers) as [keyof NetworkCondition, number][])
    shown[key] =
      key === 'rate'
        ? encodeRate(value)
        : key === 'delay' || key === 'jitter'
          ? encodeDuration(value)
          : `${Number((value * 100).toFixed(4))}%`;
  return shown;
}

const WHY = {
  jitter: 'it is by how much the delay varies',
  reorder: 'it is the part of the packets that are not delayed, and so overtake others',
};

/** Nanoseconds: an hour. */
const LONGEST = 3600e9;

function readDuration(text: string): number | undefined {
  const duration = decodeDuration(text);
  return duration > 0 && duration <= LONGEST ? duration : undefined;
}

function readPercent(text: string): number | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,9})?)%?$/.exec(text);
  const percent = Number(match?.[1]);
  return percent > 0 && percent <= 100 ? percent / 100 : undefined;
}

const BITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** As tc(8) writes rates: bit are bits, and bps are bytes per second. */
function readRate(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)([kmg]?)(bit|bps)$/i.exec(text);
  if (match === null) return undefined;
  const bytes =
    (Number(match[1]) * BITS[match[2]!.toLowerCase()]!) / (match[3]!.toLowerCase() === 'bit' ? 8 : 1);
  return bytes >= SLOWEST && bytes <= FASTEST ? Math.round(bytes) : undefined;
}

/** Bytes per second: 8 kbit, and 100 Gbit. */
const SLOWEST = 1e3;
const FASTEST = 12.5e9;

function encodeRate(bytes: number): string {
  const bits = bytes * 8;
  const unit = ['g', 'm', 'k'].find(each => bits >= BITS[each]!) ?? '';
  return `${Number((bits / BITS[unit]!).toFixed(3))}${unit}bit`;
}

const READ: Record<keyof NetworkCondition, (text: string) => number | undefined> = {
  delay: readDuration,
  jitter: readDuration,
  loss: readPercent,
  duplicate: readPercent,
  corrupt: readPercent,
  reorder: readPercent,
  rate: readRate,
};

const PERCENT = "it must be a part of all packets, such as '1%'";
const WANTED: Record<keyof NetworkCondition, string> = {
  delay: "it must be a time up to an hour, such as '100ms'",
  jitter: "it must be a time up to an hour, such as '10ms'",
  loss: PERCENT,
  duplicate: PERCENT,
  corrupt: PERCENT,
  reorder: PERCENT,
  rate: "it must be from 8kbit to 100gbit, such as '1mbit'",
};
