// A minute of figures for each box.
import type { View } from '../../formats/view.ts';
import type { Glyphs } from './lines.ts';

/** Milliseconds. */
export const MINUTE = 60_000;

export interface Sample {
  at: number;
  /** Nanoseconds of processor time since the start. */
  cpu: number;
  memory: number;
  tasks: number;
  /** Bytes read and written since the start; missing while it was not the chosen one. */
  io?: number;
  /** The greatest of the three. */
  pressure?: number;
}

export type History = ReadonlyMap<string, readonly Sample[]>;

/** The key of the host's samples. */
export const HOST = 'host';

/** Adds a look's samples, and drops those that are older than a minute. */
export function remember(history: History, view: View): History {
  const { at, host, boxes, chosen } = view;
  const next = new Map<string, readonly Sample[]>();
  const add = (id: string, sample: Sample) => {
    const before = (history.get(id) ?? []).filter(each => at - each.at <= MINUTE && each.at < sample.at);
    next.set(id, [...before, sample]);
  };
  // Processors' time in nanoseconds: the ticks are those of all processors.
  add(HOST, {
    at,
    cpu: host.cpu.busy * 1e7,
    memory: host.memory.used,
    tasks: host.tasks,
    ...most(host.pressure),
  });
  for (const { id, usage } of boxes) {
    if (usage === undefined) continue;
    const group = chosen?.id === id ? chosen.groups[0] : undefined;
    const io = group && { io: group.io.read + group.io.written, ...most(group.pressure ?? {}) };
    add(id, { ...usage, ...io });
  }
  return next;
}

function most(pressure: Record<string, number>): { pressure?: number } {
  const values = Object.values(pressure);
  return values.length === 0 ? {} : { pressure: Math.max(...values) };
}

/** Growth per second of a counter between the last two samples. */
export function rate(samples: readonly Sample[], counter: 'cpu' | 'io'): number | undefined {
  return rates(samples, counter).at(-1)?.value;
}

export interface Point {
  at: number;
  value: number;
}

function rates(samples: readonly Sample[], counter: 'cpu' | 'io'): Point[] {
  return samples.slice(1).flatMap((now, index) => {
    const before = samples[index]!;
    const [a, b] = [before[counter], now[counter]];
    // After a restart the kernel counts from 0 again.
    if (a === undefined || b === undefined || b < a) return [];
    return [{ at: now.at, value: ((b - a) * 1000) / (now.at - before.at) }];
  });
}

export type Figure = 'cpu' | 'memory' | 'tasks' | 'io' | 'pressure';

/** The figure at each time, or its growth per second since the time before. */
export function pointsOf(samples: readonly Sample[], figure: Figure): Point[] {
  return figure === 'cpu' || figure === 'io'
    ? rates(samples, figure)
    : samples.flatMap(each => (each[figure] === undefined ? [] : [{ at: each.at, value: each[figure] }]));
}

/**
 * The minute up to the last sample, in `width` columns, each the greatest value of its time.
 * @param scale the value at the top; by default the greatest of the minute
 */
export function graph(
  samples: readonly Sample[],
  figure: Figure,
  { width, glyphs, scale }: { width: number; glyphs: Glyphs; scale?: number | undefined },
): string {
  const points = pointsOf(samples, figure);
  const end = samples.at(-1)?.at ?? 0;
  const columns: (number | undefined)[] = Array.from({ length: width });
  for (const { at, value } of points) {
    const column = Math.min(width - 1, Math.floor(((at - end + MINUTE) / MINUTE) * width));
    if (column >= 0) columns[column] = Math.max(columns[column] ?? 0, value);
  }
  const top = scale ?? Math.max(...columns.map(value => value ?? 0), 0);
  const levels = [...glyphs.levels];
  let before: number | undefined;
  return columns
    .map(value => {
      // With more columns than looks a minute, a column repeats the one before it.
      before = value ?? before;
      if (before === undefined) return ' ';
      const share = top > 0 ? Math.min(before / top, 1) : 0;
      return levels[Math.max(1, Math.round(share * (levels.length - 1)))]!;
    })
    .join('');
}
