// Schemas of JSON documents. One description of a document gives its type, its decoder, and the zero values that Go shows
// for fields that are not set. Since Go programs write and read these documents, the rules are those of encoding/json: names
// match regardless of case, unknown names are ignored, and null means "not set", also within a list. The documents are
// untrusted; errors name the place of the fault.

import { FormatError } from './errors.ts';

/** Checks and copies a value. `where` is its place: 'HostConfig.Devices[0].PathOnHost', and '' for the document. */
export interface Schema<T> {
  (value: unknown, where: string): T;
  /** Value of a field that was not set; undefined for a field that is then left out. */
  readonly zero?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds schemas of every type; Infer gives each its own back
export type Fields = Readonly<Record<string, Schema<any>>>;

export type Infer<S> = S extends (value: unknown, where: string) => infer T ? T : never;

type Flat<T> = { [K in keyof T]: T[K] };

type ObjectOf<O extends Fields, R extends Fields> = Flat<
  { [K in keyof O]?: Infer<O[K]> } & { [K in keyof R]: Infer<R[K]> }
>;

export interface ObjectSchema<O extends Fields, R extends Fields> extends Schema<ObjectOf<O, R>> {
  readonly optional: O;
  readonly required: R;
}

const wrong = (where: string, wanted: string, value: unknown): FormatError =>
  new FormatError(
    value === undefined
      ? `${where} is missing: it must be ${wanted}`
      : `${where || 'the body'} must be ${wanted}, not ${shown(value)}`,
  );

function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // The document is nested so deeply that the stack overflows.
    text = Array.isArray(value) ? '[…]' : '{…}';
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The same schema with another zero value; undefined is Go's `omitempty`. */
export const withZero = <S extends Schema<unknown>>(schema: S, zero: unknown): S =>
  Object.assign(((value, where) => schema(value, where)) as S, schema, { zero });

export const omitempty = <S extends Schema<unknown>>(schema: S): S => withZero(schema, undefined);

export const string = withZero<Schema<string>>((value, where) => {
  if (typeof value !== 'string') throw wrong(where, 'a string', value);
  // In a system call's argument a NUL would end the string early, and give it another meaning than here.
  if (value.includes('\0')) throw wrong(where, 'a string without NUL', value);
  return value;
}, '');

/** Numbers above 2^53 lose their last digits, which does no harm: such large numbers mean "no limit". */
const wholeNumber = (wanted: string, least: number, most: number): Schema<number> =>
  withZero<Schema<number>>((value, where) => {
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw wrong(where, wanted, value);
    return value as number;
  }, 0);

export const integer = wholeNumber('an integer', -(2 ** 63), 2 ** 63);
/** 64 bits. */
export const unsigned = wholeNumber('an integer without sign', 0, 2 ** 64);
export const uint32 = wholeNumber('an integer from 0 to 4294967295', 0, 2 ** 32 - 1);
export const uint16 = wholeNumber('an integer from 0 to 65535', 0, 2 ** 16 - 1);

export const boolean = withZero<Schema<boolean>>((value, where) => {
  if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
  return value;
}, false);

/** A pointer, slice or map in Go, which may be nil; clients then see null. */
export const nullable = <T>(schema: Schema<T>): Schema<T | null> =>
  withZero<Schema<T | null>>((value, where) => (value === null ? null : schema(value, where)), null);

/** Uses `fallback` for a value that is missing or null. */
export const or = <T>(schema: Schema<T>, fallback: T): Schema<T> =>
  withZero<Schema<T>>((value, where) => (value == null ? fallback : schema(value, where)), fallback);

/** An element that is null gets its zero value, as in Go. */
const element = <T>(schema: Schema<T>, value: unknown, where: string): T =>
  schema(value === null ? schema.zero : value, where);

export const array = <T>(item: Schema<T>): Schema<T[]> =>
  withZero<Schema<T[]>>((value, where) => {
    if (!Array.isArray(value)) throw wrong(where, 'a list', value);
    return value.map((each, index) => element(item, each, `${where}[${index}]`));
  }, []);

export const strings = array(string);

/** A single string counts as a list of one, as in dockerd's commands. */
export const words = withZero<Schema<string[]>>(
  (value, where) => strings(typeof value === 'string' ? [value] : value, where),
  [],
);

/** An array of two in Go: missing elements are 0, and further ones are ignored. */
export const pair = withZero<Schema<[number, number]>>(
  (value, where) => {
    const [first = 0, second = 0] = array(unsigned)(value, where);
    return [first, second];
  },
  [0, 0],
);

export const map = <T>(item: Schema<T>): Schema<Record<string, T>> =>
  withZero<Schema<Record<string, T>>>((value, where) => {
    const entries = Object.entries(fieldsOf(value, where));
    // fromEntries defines properties; assigning would let a key '__proto__' replace the prototype.
    return Object.fromEntries(
      entries.map(([key, each]) => [string(key, where), element(item, each, `${where}.${key}`)]),
    );
  }, {});

/** Optional fields that are missing or null are left out; required ones must be there, unless or(…) gives a fallback. */
export function object<O extends Fields, R extends Fields = Record<never, never>>(
  optional: O,
  required: R = {} as R,
): ObjectSchema<O, R> {
  const fields = Object.entries({ ...optional, ...required }).map(([name, schema]) => ({
    name,
    schema,
    key: name.toLowerCase(),
    isRequired: name in required,
  }));
  const read: Schema<ObjectOf<O, R>> = (value, where) => {
    const given = new Map(
      Object.entries(fieldsOf(value, where)).map(([key, each]) => [key.toLowerCase(), each]),
    );
    const found: Record<string, unknown> = {};
    for (const { name, schema, key, isRequired } of fields) {
      const each = given.get(key);
      if (isRequired || (each !== undefined && each !== null))
        found[name] = schema(each, where === '' ? name : `${where}.${name}`);
    }
    return found as ObjectOf<O, R>;
  };
  return Object.assign(read, { zero: {}, optional, required });
}

/** An object whose content the engine does not use. */
export const anyObject = object({});

/** An object with no field set, as Go's encoder writes it. */
export const zeroOf = ({ optional, required }: ObjectSchema<Fields, Fields>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...optional, ...required }).flatMap(([name, { zero }]) =>
      zero === undefined ? [] : [[name, zero]],
    ),
  );

/** `what` names the document in errors: 'image configuration'. */
export function parse<T>(text: string | Uint8Array, what: string, schema: Schema<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text));
  } catch (cause) {
    throw new FormatError(`${what} is not JSON`, { cause });
  }
  return schema(value === null ? (schema.zero ?? null) : value, what);
}

export const parseObject = (text: string | Uint8Array, what: string): Record<string, unknown> =>
  parse(text, what, fieldsOf);

export function fieldsOf(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, 'an object', value);
  return value as Record<string, unknown>;
}
