// The functions of templates: Go's own (https://pkg.go.dev/text/template#hdr-Functions) and those that docker adds
// (https://docs.docker.com/engine/cli/formatting/). `and` and `or` are not here: they do not evaluate all arguments.

import { formatJson, formatValue, goType, NIL_LIST, NIL_MAP, type Structs, sprintf } from './format.ts';

export type TemplateFunction = (args: unknown[], structs: Structs) => unknown;

/** Throws if an argument has the wrong type; the caller puts "error calling NAME: " before the message. */
export const FUNCTIONS: Record<string, TemplateFunction> = {
  json: ([value]) => formatJson(value),
  print: (args, structs) => print(args, structs),
  println: (args, structs) => `${args.map(each => formatValue(each ?? null, structs)).join(' ')}\n`,
  printf: ([format, ...args], structs) => sprintf(text(format), args, structs),
  len: ([value]) => length(value),
  index: ([value, ...keys]) => keys.reduce(element, value),
  slice: ([value, from, to]) => {
    if (typeof value !== 'string' && !Array.isArray(value))
      throw new Error(`can't slice item of type ${goType(value)}`);
    const end = to === undefined ? value.length : integer(to);
    const start = from === undefined ? 0 : integer(from);
    if (start < 0 || end > value.length || start > end) throw new Error(`index out of range: ${from}`);
    return value.slice(start, end);
  },
  not: ([value]) => !truth(value),
  eq: ([first, ...rest]) => {
    if (rest.length === 0) throw new Error('missing argument for comparison');
    return rest.some(each => equal(first, each));
  },
  ne: ([a, b]) => !equal(a, b),
  lt: ([a, b]) => compare(a, b) < 0,
  le: ([a, b]) => compare(a, b) <= 0,
  gt: ([a, b]) => compare(a, b) > 0,
  ge: ([a, b]) => compare(a, b) >= 0,
  split: ([value, separator]) => text(value).split(text(separator)),
  join: ([list, separator]) => {
    if (!Array.isArray(list)) throw new Error(`wrong type for value; expected []string; got ${goType(list)}`);
    return list.map(each => formatValue(each)).join(text(separator));
  },
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  title: ([value]) =>
    text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase()),
  pad: ([value, before, after]) =>
    text(value) === '' ? '' : ' '.repeat(integer(before)) + text(value) + ' '.repeat(integer(after)),
  truncate: ([value, size]) => [...text(value)].slice(0, integer(size)).join(''),
  html: (args, structs) => print(args, structs).replace(/[&<>"']/g, each => `&#${each.charCodeAt(0)};`),
  urlquery: (args, structs) => encodeURIComponent(print(args, structs)).replaceAll('%20', '+'),
};

/** Number of arguments, for functions that do not accept any number. */
export const ARITY: Record<string, [least: number, most: number]> = {
  json: [1, 1],
  len: [1, 1],
  not: [1, 1],
  ne: [2, 2],
  lt: [2, 2],
  le: [2, 2],
  gt: [2, 2],
  ge: [2, 2],
  split: [2, 2],
  join: [2, 2],
  lower: [1, 1],
  upper: [1, 1],
  title: [1, 1],
  pad: [3, 3],
  truncate: [2, 2],
  index: [1, Number.POSITIVE_INFINITY],
  eq: [1, Number.POSITIVE_INFINITY],
  printf: [1, Number.POSITIVE_INFINITY],
  slice: [1, 3],
};

/** Whether Go's templates count a value as true: it is not the type's zero value, and not empty. */
export function truth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function print(args: unknown[], structs: Structs): string {
  // fmt.Sprint inserts a space between two operands if neither is a string.
  return args.reduce<string>((sofar, each, index) => {
    const space = index > 0 && typeof each !== 'string' && typeof args[index - 1] !== 'string' ? ' ' : '';
    return sofar + space + formatValue(each ?? null, structs);
  }, '');
}

function text(value: unknown): string {
  if (typeof value !== 'string')
    throw new Error(`wrong type for value; expected string; got ${goType(value)}`);
  return value;
}

function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new Error(`cannot index slice/array with type ${goType(value)}`);
  }
  return value;
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new Error(
    value === null || value === undefined ? 'len of nil pointer' : `len of type ${goType(value)}`,
  );
}

function element(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined || value === NIL_MAP || value === NIL_LIST) {
    if (value === NIL_MAP) return '';
    throw new Error(value === NIL_LIST ? `index out of range: ${key}` : 'index of untyped nil');
  }
  if (Array.isArray(value) || typeof value === 'string') {
    const at = integer(key);
    if (at < 0 || at >= value.length) throw new Error(`index out of range: ${at}`);
    return typeof value === 'string' ? value.charCodeAt(at) : value[at];
  }
  if (typeof value !== 'object') throw new Error(`can't index item of type ${goType(value)}`);
  const name = text(key);
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  // Go returns the zero value of the map's type for a missing key: for a map of strings, the empty string.
  return Object.values(value).every(each => typeof each === 'string') ? '' : undefined;
}

function equal(a: unknown, b: unknown): boolean {
  const [left, right] = [a ?? null, b ?? null];
  if (typeof left === 'object' && left !== null && right !== null) {
    throw new Error('non-comparable type for comparison');
  }
  if (left !== null && right !== null && typeof left !== typeof right) {
    throw new Error('incompatible types for comparison');
  }
  return left === right;
}

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) throw new Error('incompatible types for comparison');
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  throw new Error('invalid type for comparison');
}
