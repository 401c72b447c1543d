// Checks of filter values, with Docker's error messages, since scripts search for them.

import type { Filters } from '../../formats/engine-api/system.ts';
import { badParameter } from '../../formats/errors.ts';

/** The error for an unknown key, or, with `value`, for a value that is not allowed. */
export const invalidFilter = (key: string, value?: string): Error =>
  badParameter(value === undefined ? `Invalid filter '${key}'` : `Invalid filter '${key}=[${value}]'`);

/** @throws badParameter when a key is not allowed */
export function checkFilterKeys(filters: Filters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find(key => !known.includes(key));
  if (unknown !== undefined) throw invalidFilter(unknown);
}

export const isTruth = (value: string): boolean => ['1', 'true', '0', 'false'].includes(value);

/**
 * The value of a boolean filter; undefined when it is not given. @throws badParameter when it is neither
 * true nor false
 */
export function filterTruth(filters: Filters, key: string): boolean | undefined {
  const values = filters[key] ?? [];
  const wrong = values.find(value => !isTruth(value));
  if (wrong !== undefined) throw invalidFilter(key, wrong);
  // Both true and false together select nothing in particular.
  const found = new Set(values.map(value => ['1', 'true'].includes(value)));
  return found.size === 1 ? [...found][0] : undefined;
}
