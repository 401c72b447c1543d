// The shapes of values in a compose file. A shape checks a value, reports the place of an error and the key
// that was probably meant, and gives the value in its long form: 'data:/var' becomes { type: 'volume',
// source: 'data', … }.

import { isAbsolute, join, resolve } from 'node:path';
import { decodeDuration, encodeDuration } from '../../formats/durations.ts';
import { decodeSize } from '../../formats/sizes.ts';
import { splitAt } from '../../formats/split.ts';
import { meant } from '../../formats/typo.ts';
import { type Scalar, type Source, wrongAt } from './source.ts';

export interface Context {
  /** Directory that relative paths in the file start from. */
  directory: string;
  home: string | undefined;
  /** Whether variables are left unexpanded: if so, any scalar with a $ is accepted in place of any other. */
  raw: boolean;
}

export type Shape<T> = (source: Source, context: Context) => T;

// biome-ignore lint/suspicious/noExplicitAny: a table holds shapes of every type; Infer gives each its own back
export type Keys = Readonly<Record<string, Shape<any>>>;
export type Infer<S> = S extends (source: Source, context: Context) => infer T ? T : never;
type Flat<T> = { [K in keyof T]: T[K] };
export type ObjectOf<K extends Keys> = Flat<{ [N in keyof K]?: Infer<K[N]> }>;

const shown = ({ value }: Source): string => {
  if (value instanceof Map) return 'a mapping';
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'nothing' : JSON.stringify(value);
};

export const wanted = (source: Source, what: string): never => {
  throw wrongAt(source, `must be ${what}, not ${shown(source)}`);
};

const isScalar = (value: Source['value']): value is Scalar =>
  !(value instanceof Map) && !Array.isArray(value);

/** Parses text, and reports its place when that fails. */
export function reading<T>(what: string, read: (text: string, context: Context) => T): Shape<T> {
  return (source, context) => {
    const { value } = source;
    if (!isScalar(value) || value === null || typeof value === 'boolean') return wanted(source, what);
    if (context.raw && String(value).includes('$')) return String(value) as T;
    try {
      return read(String(value), context);
    } catch (cause) {
      throw wrongAt(source, `must be ${what}: ${(cause as Error).message}`);
    }
  };
}

/** Numbers and booleans are taken as text: an environment variable may be 1 or true. */
export const text: Shape<string> = (source, _context) => {
  const { value } = source;
  if (!isScalar(value) || value === null) return wanted(source, 'a string');
  if (String(value).includes('\0')) return wanted(source, 'a string without NUL');
  return String(value);
};

export const boolean: Shape<boolean> = (source, context) => {
  const { value } = source;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (/^(true|yes|on|y)$/i.test(value)) return true;
    if (/^(false|no|off|n)$/i.test(value)) return false;
    if (context.raw && value.includes('$')) return value as unknown as boolean;
  }
  return wanted(source, 'true or false');
};

export const integer = reading('an integer', text => {
  if (!/^[-+]?\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw new Error(`${text} is not`);
  return Number(text);
});

/** Permissions; text is octal, as in chmod. */
export const fileMode: Shape<number> = (source, context) =>
  typeof source.value === 'string' && /^(0o?)?[0-7]+$/.test(source.value)
    ? Number.parseInt(source.value.replace('o', ''), 8)
    : integer(source, context);

export const number = reading('a number', text => {
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw new Error(`${text} is not`);
  return Number(text);
});

/** Size in bytes. */
export const size = reading('a size such as 64m', text => (text === '-1' ? -1 : decodeSize(text)));

/** Duration in Go's notation: '1m30s'. */
export const duration = reading('a duration such as 1m30s', text => encodeDuration(decodeDuration(text)));

export const oneOf = <T extends string>(...values: T[]): Shape<T> =>
  reading(`one of ${values.join(', ')}`, text => {
    const guess = meant(text, values);
    if (!values.includes(text as T))
      throw new Error(`${text} is not${guess === undefined ? '' : `; did you mean ${guess}?`}`);
    return text as T;
  });

/** An absolute path; ~ is the user's home. */
export function absolute(path: string, { directory, home }: Context): string {
  if (path.includes('$')) return path;
  if (path === '~' || path.startsWith('~/')) return join(home ?? '/', path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(directory, path);
}

export const path = reading('a path', absolute);

export const list =
  <T>(item: Shape<T>): Shape<T[]> =>
  (source, context) => {
    if (!Array.isArray(source.value)) return wanted(source, 'a list');
    return (source.value as readonly Source[]).map(each => item(each, context));
  };

/** A single value is taken as a list of one. */
export const oneOrMore =
  <T>(item: Shape<T>): Shape<T[]> =>
  (source, context) =>
    Array.isArray(source.value) ? list(item)(source, context) : [item(source, context)];

export function entries(source: Source): [string, Source][] {
  if (!(source.value instanceof Map)) return wanted(source, 'a mapping');
  if (source.value.has('__proto__')) throw wrongAt(source, 'has the key "__proto__", which is no name');
  return [...source.value];
}

export const map =
  <T>(item: Shape<T>): Shape<Record<string, T>> =>
  (source, context) =>
    // fromEntries defines properties; assigning would let a key '__proto__' replace the prototype.
    Object.fromEntries(entries(source).map(([name, each]) => [name, item(each, context)]));

/** A key may have no value: `networks: {front: }`. */
export const orNothing =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (source, context) =>
    source.value === null ? null : shape(source, context);

/** Keys that start with x- are extensions and are skipped; other unknown keys are an error. */
export function object<K extends Keys>(keys: K): Shape<ObjectOf<K>> {
  return (source, context) => {
    const found: Record<string, unknown> = {};
    for (const [name, each] of entries(source)) {
      if (name.startsWith('x-')) continue;
      const shape = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (shape === undefined) throw unknownKey(name, each, Object.keys(keys));
      // A key without a value counts as absent, but a mapping may list a name without settings.
      if (each.value !== null) found[name] = shape(each, context);
    }
    return found as ObjectOf<K>;
  };
}

function unknownKey(name: string, { place, path }: Source, known: readonly string[]) {
  const guess = meant(name, known);
  const parent = path.slice(0, Math.max(0, path.length - name.length - 1));
  return wrongAt(
    { place, path: parent },
    `has an unknown key ${JSON.stringify(name)}${guess === undefined ? '' : `; did you mean ${JSON.stringify(guess)}?`}`,
  );
}

/** A key of the specification that mini-docker does not support. */
export const unsupported =
  (why: string): Shape<never> =>
  source => {
    throw wrongAt(source, `is not supported: ${why}`);
  };

/** A key that may only say that a feature is not wanted. */
export const unlessFalse =
  (why: string): Shape<undefined> =>
  source => {
    if (String(source.value) !== 'false') throw wrongAt(source, `is not supported: ${why}`);
    return undefined;
  };

/** A key that has meaning only for other programs: not checked. */
export const ignored: Shape<undefined> = () => undefined;

/** A shape that depends on the kind of value: scalar, list or mapping. */
export function byKind<T>(shapes: { scalar?: Shape<T>; list?: Shape<T>; map?: Shape<T> }): Shape<T> {
  const names = { scalar: 'a string', list: 'a list', map: 'a mapping' };
  const what = (Object.keys(shapes) as (keyof typeof names)[]).map(kind => names[kind]).join(' or ');
  return (source, context) => {
    const kind = source.value instanceof Map ? 'map' : Array.isArray(source.value) ? 'list' : 'scalar';
    return (shapes[kind] ?? (() => wanted(source, what)))(source, context);
  };
}

/** `KEY: value`, or a list of KEY=value; null for a key alone. */
export const pairs: Shape<Record<string, string | null>> = byKind({
  map: map(orNothing(text)),
  list: (source, context) =>
    Object.fromEntries(
      list(text)(source, context).map(each => {
        const [key, value = null] = splitAt(each, '=');
        return [key, value];
      }),
    ),
});

/** The same, but a key alone has an empty value. */
export const labels: Shape<Record<string, string>> = (source, context) =>
  Object.fromEntries(Object.entries(pairs(source, context)).map(([key, value]) => [key, value ?? '']));
