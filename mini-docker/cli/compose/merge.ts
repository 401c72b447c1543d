// Merges one model over another: an override file over its base, and a service over the one that it extends
// (https://github.com/compose-spec/compose-spec/blob/main/13-merge.md).

import type { Source } from './source.ts';

type Plain = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists that an override replaces as a whole; other lists are appended to. */
const REPLACED = /(^|\.)(command|entrypoint|healthcheck\.test|devices\[\]\.capabilities)$/;

/** Identity of list elements; a later equal one wins. A mount's is its target, a port's all its fields. */
const IDENTITY: readonly (readonly [RegExp, (element: never) => string])[] = [
  [/\.volumes$/, ({ target }: { target: string }) => target],
  [
    /\.ports$/,
    (port: Plain) => [port.host_ip ?? '', port.published ?? '', port.target, port.protocol].join(' '),
  ],
  [/\.(secrets|configs)$/, ({ source, target }: { source: string; target?: string }) => target ?? source],
  [
    /\.devices$/,
    (device: unknown) =>
      typeof device === 'string' ? (device.split(':')[1] ?? device) : JSON.stringify(device),
  ],
  [/./, (element: unknown) => JSON.stringify(element)],
];

/** @param where path in the model: 'services.web.ports' */
export function merge(base: unknown, over: unknown, where = ''): unknown {
  if (base === undefined || base === null) return over;
  if (over === undefined || over === null) return base;
  if (Array.isArray(base) && Array.isArray(over)) {
    if (REPLACED.test(where)) return over;
    const identity = IDENTITY.find(([pattern]) => pattern.test(where))![1] as (element: unknown) => string;
    return [...new Map([...base, ...over].map(each => [identity(each), each])).values()];
  }
  if (!isPlain(base) || !isPlain(over)) return over;
  // The options of one driver mean nothing to another.
  if (where.endsWith('.logging') && base.driver !== over.driver && over.driver !== undefined) return over;
  const names = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries(
    [...names].map(name => [name, merge(base[name], over[name], `${where}.${name}`)]),
  );
}

/** Paths of the values tagged with !reset or !override. */
export function taggedKeys(source: Source, keys: readonly string[] = []): string[][] {
  if (source.tag !== undefined) return [[...keys]];
  if (!(source.value instanceof Map)) return [];
  return [...source.value].flatMap(([key, each]) => taggedKeys(each, [...keys, key]));
}

/** The same tree without the values to be reset. */
export function withoutReset(source: Source): Source {
  if (!(source.value instanceof Map)) return source;
  const kept = [...source.value].filter(([, { tag }]) => tag !== '!reset');
  return { ...source, value: new Map(kept.map(([key, each]) => [key, withoutReset(each)])) };
}

/** The same model without the value at these keys. */
export function without(model: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined || !isPlain(model) || !Object.hasOwn(model, first)) return model;
  const { [first]: value, ...others } = model;
  return rest.length === 0 ? others : { ...others, [first]: without(value, rest) };
}
