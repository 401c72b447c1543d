// Reads the values of a query by dockerd's rules.

import { decodeUrlValue } from '../formats/byte-names.ts';
import { DEFAULT_DETACH_KEYS, decodeDetachKeys } from '../formats/detach-keys.ts';
import type { Filters } from '../formats/engine-api/system.ts';
import { badParameter } from '../formats/errors.ts';
import { fieldsOf, nullable, parse, type Schema } from '../formats/schema.ts';
import { decodeTimestamp } from '../formats/timestamp.ts';

const FALSE = new Set(['', '0', 'no', 'false', 'none']);

/** Whether a flag is true: any value but '', 0, no, false and none. */
export function flag(query: URLSearchParams, name: string, missing = false): boolean {
  const value = query.get(name);
  return value === null ? missing : !FALSE.has(value.trim().toLowerCase());
}

/** undefined when missing or empty. */
export function text(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

/** @param what 'the name of the image'. @throws badParameter when the value is missing or empty */
export function required(query: URLSearchParams, name: string, what: string): string {
  const value = text(query, name);
  if (value === undefined) throw badParameter(`${what} is missing: ${name}`);
  return value;
}

/** 'REPO:TAG', or 'REPO', of the values of these names; undefined without a repository. */
export function reference(query: URLSearchParams): string | undefined {
  const [repository, tag] = [text(query, 'repo'), text(query, 'tag')];
  return repository === undefined || tag === undefined ? repository : `${repository}:${tag}`;
}

/**
 * A path, whose bytes need not be UTF-8 (byte-names.ts): URLSearchParams would replace these. undefined when missing
 * or empty.
 */
export function path(url: string, name: string): string | undefined {
  const pairs = url.slice(url.indexOf('?') + 1).split('&');
  const found = pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  return found === undefined ? undefined : decodeUrlValue(found) || undefined;
}

export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(value))
    throw badParameter(`invalid value "${value}" for ${name}: must be an integer`);
  return Number(value);
}

/** Seconds since 1970 with an optional fraction, or RFC 3339; returns nanoseconds. */
export function time(query: URLSearchParams, name: string): bigint | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const found = decodeTimestamp(value);
  if (found === undefined) {
    throw badParameter(
      `invalid value "${value}" for ${name}: must be seconds since 1970 or an RFC 3339 time`,
    );
  }
  return found;
}

/** JSON in a query's value. */
export function jsonValue<T>(query: URLSearchParams, name: string, schema: Schema<T>): T | undefined {
  const value = text(query, name);
  return value === undefined ? undefined : parse(value, name, schema);
}

/** Decodes both forms that clients send: {"label":["a","b"]} and {"label":{"a":true,"b":true}}. */
export function filters(query: URLSearchParams): Filters {
  const found = jsonValue(query, 'filters', nullable(fieldsOf)) ?? {};
  return Object.fromEntries(Object.entries(found).map(([key, values]) => [key, filterValues(key, values)]));
}

function filterValues(key: string, values: unknown): string[] {
  if (Array.isArray(values) && values.every(each => typeof each === 'string')) return values;
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
    const entries = Object.entries(values);
    if (entries.every(([, each]) => typeof each === 'boolean')) {
      return entries.filter(([, wanted]) => wanted).map(([name]) => name);
    }
  }
  throw badParameter(
    `invalid filter: the values of '${key}' must be a list of strings or a map of strings to booleans`,
  );
}

/** A terminal's size. @throws badParameter when one of the numbers is missing */
export function terminalSize(query: URLSearchParams): { rows: number; columns: number } {
  const side = (name: 'h' | 'w', called: string) => {
    const value = query.get(name) ?? '';
    const invalid = (why: string) =>
      badParameter(`invalid resize ${called} ${JSON.stringify(value)}: ${why}`);
    if (!/^[+-]?\d+$/.test(value)) throw invalid('invalid syntax');
    if (Number(value) < 0 || Number(value) > 0xffff) throw invalid('value out of range');
    return Number(value);
  };
  return { rows: side('h', 'height'), columns: side('w', 'width') };
}

export function detachKeys(keys: string | undefined): Uint8Array {
  try {
    return decodeDetachKeys(keys || DEFAULT_DETACH_KEYS);
  } catch (cause) {
    throw badParameter(`invalid detach keys (${keys}): ${(cause as Error).message}`);
  }
}
