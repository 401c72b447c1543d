// Reading JSON that a stranger wrote: every field is checked, and what is wrong is named by its place.

import { FormatError } from './errors.ts';

const wrong = (where: string, wanted: string, value: unknown): FormatError =>
  new FormatError(`${where} must be ${wanted}, not ${shown(value)}`);

function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // Nested so deeply that our stack does not suffice.
    text = Array.isArray(value) ? '[…]' : '{…}';
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

export type Fields = Record<string, unknown>;

/** Parses a JSON object. `what` names the document in errors: 'image configuration'. */
export function parseObject(text: string | Uint8Array, what: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text));
  } catch (cause) {
    throw new FormatError(`${what} is not JSON`, { cause });
  }
  return object(value, what);
}

export function object(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, 'an object', value);
  return value as Fields;
}

export function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw wrong(where, 'a string', value);
  // A NUL would end the string early in a system call's argument and so mean another thing there than here.
  if (value.includes('\0')) throw wrong(where, 'a string without NUL', value);
  return value;
}

export function integer(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value)) throw wrong(where, 'an integer', value);
  return value as number;
}

export function boolean(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
  return value;
}

export function array<T>(value: unknown, where: string, item: (value: unknown, where: string) => T): T[] {
  if (!Array.isArray(value)) throw wrong(where, 'a list', value);
  return value.map((each, index) => item(each, `${where}[${index}]`));
}

export const strings = (value: unknown, where: string): string[] => array(value, where, string);

export function map<T>(
  value: unknown,
  where: string,
  item: (value: unknown, where: string) => T,
): Record<string, T> {
  const entries = Object.entries(object(value, where));
  // fromEntries defines properties; assigning would let a key '__proto__' replace the prototype.
  return Object.fromEntries(
    entries.map(([key, each]) => [string(key, where), item(each, `${where}.${key}`)]),
  );
}

/** Go's encoders write null for an empty list or map, and tools leave fields out: both mean absent. */
export const optional = <T>(
  fields: Fields,
  key: string,
  where: string,
  decode: (value: unknown, where: string) => T,
): T | undefined => {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return value === undefined || value === null ? undefined : decode(value, `${where}.${key}`);
};

/** The object without its undefined fields, as exactOptionalPropertyTypes wants optional ones. */
export function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
