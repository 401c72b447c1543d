// Why a running container is slow: the limits that hold it back, by two readings of the kernel's counters.

import type { Spec } from '../../../formats/oci/runtime-spec.ts';
import { encodeBinarySize, encodeSize } from '../../../formats/sizes.ts';
import type { Finding } from '../../../formats/why-report.ts';
import type { BlkioEntry, Stats } from '../../../runtime/container.ts';
import type { Rule } from './facts.ts';

export interface SpeedFacts {
  name: string;
  /** Current memory limit in bytes, 0 for none; `update` may have changed it. */
  memoryLimit: number;
  spec: Spec;
  before: Stats;
  now: Stats;
  /** Milliseconds between the two readings. */
  elapsed: number;
}

/**
 * Thresholds for a finding: shares of periods and of the limit, percent of ten seconds, share of the rate.
 */
const THROTTLED = 0.1;
const FULL = 0.9;
const PRESSED = 10;
const AT_RATE = 0.8;

export const SPEED: readonly Rule<SpeedFacts>[] = [
  throttled,
  memoryFull,
  memoryPressure,
  ioLimited,
  tooManyProcesses,
];

function throttled({ name, before, now, elapsed }: SpeedFacts): Finding | undefined {
  const { periods, throttledPeriods, throttledTime } = now.cpu.throttling;
  const recent = throttledPeriods - before.cpu.throttling.throttledPeriods;
  if (recent === 0 && !(throttledPeriods / periods > THROTTLED)) return undefined;
  const cpus = Math.round(((now.cpu.total - before.cpu.total) / 1e6 / elapsed) * 100) / 100;
  return {
    code: 'cpu-throttled',
    sentence: `${name} is slowed down by its limit of processor time: it used up its quota and had to wait in ${throttledPeriods} of ${periods} periods, ${Math.round(throttledTime / 1e8) / 10} s in all${recent > 0 ? ', and it does so now' : ''}.`,
    evidence: [
      `cpu.stat: nr_periods ${periods}, nr_throttled ${throttledPeriods}, ${recent} of them in the last ${elapsed} ms`,
      `it uses ${cpus} processors now`,
    ],
    advice: `Give it more with 'mini-docker update --cpus N ${name}', or let it do less.`,
  };
}

function memoryFull({ name, memoryLimit, before, now }: SpeedFacts): Finding | undefined {
  // The kernel frees the least recently used file cache at once when memory is needed.
  const { usage, stats } = now.memory;
  const needed = usage - (stats.total_inactive_file ?? stats.inactive_file ?? 0);
  const failures = (now.memory.failcnt ?? 0) - (before.memory.failcnt ?? 0);
  if (memoryLimit === 0 || (needed < now.memory.limit * FULL && failures === 0)) return undefined;
  return {
    code: 'memory-full',
    sentence: `${name} is at its limit of memory: it uses ${encodeBinarySize(needed)} of ${encodeBinarySize(now.memory.limit)}, and the kernel must take back pages before it gives out others.`,
    evidence: [
      `usage ${usage} bytes, without inactive file cache ${needed}, limit ${now.memory.limit}`,
      ...(now.memory.failcnt === undefined ? [] : [`the limit was reached ${now.memory.failcnt} times`]),
    ],
    advice: `Give it more with 'mini-docker update --memory SIZE --memory-swap SIZE ${name}', or look at what it keeps in memory. When nothing can be taken back, the kernel kills a process.`,
  };
}

function memoryPressure({ name, now }: SpeedFacts): Finding | undefined {
  const pressure = now.pressure?.memory ?? 0;
  if (pressure < PRESSED) return undefined;
  return {
    code: 'memory-pressure',
    sentence: `${name} waits for memory: in ${pressure} % of the last ten seconds one of its processes did.`,
    evidence: [`memory.pressure: some avg10=${pressure}`],
    advice: `Give it more with 'mini-docker update --memory SIZE --memory-swap SIZE ${name}', or free memory of the host.`,
  };
}

function ioLimited(facts: SpeedFacts): Finding | undefined {
  const { name, spec, before, now, elapsed } = facts;
  const io = spec.linux.resources?.blockIO ?? {};
  const limits = [
    { op: 'Read', unit: 'bytes', list: io.throttleReadBpsDevice, counts: 'serviceBytes' },
    { op: 'Write', unit: 'bytes', list: io.throttleWriteBpsDevice, counts: 'serviceBytes' },
    { op: 'Read', unit: 'operations', list: io.throttleReadIOPSDevice, counts: 'serviced' },
    { op: 'Write', unit: 'operations', list: io.throttleWriteIOPSDevice, counts: 'serviced' },
  ] as const;
  for (const { op, unit, list = [], counts } of limits) {
    for (const { major, minor, rate } of list) {
      const count = (entries: BlkioEntry[]) =>
        entries.find(each => each.major === major && each.minor === minor && each.op === op)?.value ?? 0;
      const perSecond = ((count(now.blkio[counts]) - count(before.blkio[counts])) * 1000) / elapsed;
      if (perSecond < rate * AT_RATE) continue;
      const shown = (value: number) =>
        unit === 'bytes' ? encodeSize(value) : `${Math.round(value)} operations`;
      const verb = op === 'Read' ? 'reads from' : 'writes to';
      return {
        code: 'io-limited',
        sentence: `${name} ${verb} the device ${major}:${minor} as fast as its limit allows: ${shown(perSecond)} a second, and the limit is ${shown(rate)}.`,
        evidence: [`blkio: ${Math.round(perSecond)} ${unit} a second in the last ${elapsed} ms`],
        advice: `Create it again with a higher '--device-${op.toLowerCase()}-${unit === 'bytes' ? 'bps' : 'iops'}', or let it do less.`,
      };
    }
  }
  return undefined;
}

function tooManyProcesses({ name, now }: SpeedFacts): Finding | undefined {
  const { current, limit } = now.pids;
  if (limit === undefined || current < limit) return undefined;
  return {
    code: 'pids-full',
    sentence: `${name} has as many processes and threads as it may, ${limit}: it cannot start another one.`,
    evidence: [`pids.current ${current}, pids.max ${limit}`],
    advice: `Allow more with 'mini-docker update --pids-limit N ${name}', or look at what starts so many: 'mini-docker top ${name}'.`,
  };
}
