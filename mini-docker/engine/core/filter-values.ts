// What filters take, refused in Docker's words: scripts search for them.

import type { Filters } from '../../formats/engine-api/system.ts';
import { badParameter } from './errors.ts';

/** Without a value it is the key that does not exist. */
export const invalidFilter = (key: string, value?: string): Error =>
  badParameter(value === undefined ? `Invalid filter '${key}'` : `Invalid filter '${key}=[${value}]'`);

/** @throws badParameter */
export function checkFilterKeys(filters: Filters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find(key => !known.includes(key));
  if (unknown !== undefined) throw invalidFilter(unknown);
}

export const isTruth = (value: string): boolean => ['1', 'true', '0', 'false'].includes(value);

/** What a filter says that is true or false; undefined when it is not there. @throws badParameter */
export function filterTruth(filters: Filters, key: string): boolean | undefined {
  const values = filters[key] ?? [];
  const wrong = values.find(value => !isTruth(value));
  if (wrong !== undefined) throw invalidFilter(key, wrong);
  // Both at once is no wish at all.
  const found = new Set(values.map(value => ['1', 'true'].includes(value)));
  return found.size === 1 ? [...found][0] : undefined;
}
