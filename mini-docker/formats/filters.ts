// Filters shared by several kinds of objects (https://docs.docker.com/engine/manage-resources/pruning/).

import { decodeDuration } from './durations.ts';
import type { Filters } from './engine-api/system.ts';
import { FormatError } from './errors.ts';
import { decodeTimestamp, nowNanoseconds } from './timestamp.ts';

/** 'key' wants the label, 'key=value' wants this value; all must match. */
export function hasLabels(labels: Record<string, string>, wanted: readonly string[]): boolean {
  return wanted.every(each => {
    const [key = '', ...value] = each.split('=');
    return Object.hasOwn(labels, key) && (value.length === 0 || labels[key] === value.join('='));
  });
}

/** All of the filter `label`, and none of `label!`. */
export const matchesLabels = (labels: Record<string, string>, filters: Filters): boolean =>
  hasLabels(labels, filters.label ?? []) &&
  !(filters['label!'] ?? []).some(each => hasLabels(labels, [each]));

/** A time, or how long ago: '2026-01-01T00:00:00Z', '1700000000', '1h30m' → nanoseconds since 1970. @throws FormatError */
export function untilTime(text: string): bigint {
  const time = decodeTimestamp(text);
  if (time !== undefined) return time;
  try {
    return nowNanoseconds() - BigInt(decodeDuration(text));
  } catch {
    throw new FormatError(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}
