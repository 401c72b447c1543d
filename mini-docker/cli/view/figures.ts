// What a control group and the host use, and of how much: the figures behind the bars.
import { encodeBinarySize, encodeSize } from '../../formats/sizes.ts';
import type { GroupView, HostView, Pressure } from '../../formats/view.ts';
import { type Figure, rate, type Sample } from './history.ts';

export interface Gauge {
  name: string;
  text: string;
  /** 0 to 1; undefined where there is no most. */
  share?: number | undefined;
  figure: Figure;
  /** What is at the top of its history; by default the greatest of the minute. */
  scale?: number | undefined;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;

const pressureOf = (pressure: Pressure): Gauge[] =>
  Object.keys(pressure).length === 0
    ? []
    : [
        {
          name: 'pressure',
          figure: 'pressure',
          text: pressureText(pressure),
          share: Math.max(0, ...Object.values(pressure)) / 100,
          scale: 100,
        },
      ];

export function groupGauges(
  { cpu, memory, tasks, io, pressure = {} }: GroupView,
  { host, samples }: { host: HostView; samples: readonly Sample[] },
): Gauge[] {
  const used = (rate(samples, 'cpu') ?? 0) / 1e9;
  const cpus = cpu.limit ?? host.cpus;
  const bytes = memory.limit ?? host.memory.limit;
  const limit = (text: string, isSet: boolean): string => (isSet ? `of ${text}` : `(no limit; host ${text})`);
  return [
    {
      name: 'cpu',
      figure: 'cpu',
      share: used / cpus,
      text: `${percent(used)} ${limit(`${Number(cpus.toFixed(2))} cpus`, cpu.limit !== undefined)}`,
      scale: cpus * 1e9,
    },
    {
      name: 'memory',
      figure: 'memory',
      share: memory.used / bytes,
      text: `${encodeBinarySize(memory.used)} ${limit(encodeBinarySize(bytes), memory.limit !== undefined)}`,
      scale: memory.limit,
    },
    {
      name: 'tasks',
      figure: 'tasks',
      share: tasks.limit === undefined ? undefined : tasks.used / tasks.limit,
      text: `${tasks.used} ${tasks.limit === undefined ? '(no limit)' : `of ${tasks.limit}`}`,
      scale: tasks.limit,
    },
    {
      name: 'io',
      figure: 'io',
      text: `${encodeSize(rate(samples, 'io') ?? 0)}/s, read ${encodeSize(io.read)}, written ${encodeSize(io.written)}`,
    },
    ...pressureOf(pressure),
  ];
}

/** undefined if its cpu limit has never stopped it. */
export const throttledText = ({ cpu }: GroupView): string | undefined =>
  cpu.throttled > 0 ? `throttled for ${(cpu.throttled / 1e9).toFixed(1)} s so far` : undefined;

export const pressureText = (pressure: Pressure): string =>
  Object.entries(pressure)
    .map(([name, value]) => `${name} ${value.toFixed(0)}%`)
    .join(', ');

export function hostGauges(host: HostView, samples: readonly Sample[]): Gauge[] {
  const used = (rate(samples, 'cpu') ?? 0) / 1e9;
  const { memory, load, tasks } = host;
  return [
    {
      name: 'cpu',
      figure: 'cpu',
      share: used / host.cpus,
      text: `${percent(used)} of ${host.cpus} cpus; load ${load.map(each => each.toFixed(1)).join(' ')}`,
      scale: host.cpus * 1e9,
    },
    {
      name: 'memory',
      figure: 'memory',
      share: memory.used / memory.limit,
      text: `${encodeBinarySize(memory.used)} of ${encodeBinarySize(memory.limit)}; ${tasks} tasks`,
      scale: memory.limit,
    },
    ...pressureOf(host.pressure),
  ];
}
