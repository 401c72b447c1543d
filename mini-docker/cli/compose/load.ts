// Turns a project's files into one model: variables, include, extends, overrides. Never asks the daemon.

import { closeSync, openSync, readSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { CommandError, fileReason } from '../errors.ts';
import { decodeDotenv } from './dotenv.ts';
import { modernized } from './first-generation.ts';
import { interpolate, type Lookup } from './interpolate.ts';
import { merge, taggedKeys, without, withoutReset } from './merge.ts';
import { type Model, model } from './model.ts';
import type { Service } from './service.ts';
import { type Context, entries } from './shapes.ts';
import { mapStrings, readSource, type Source, wrongAt } from './source.ts';

export interface LoadOptions {
  /** Absolute paths of the files; '-' is standard input. */
  files: readonly string[];
  directory: string;
  lookup: Lookup;
  home: string | undefined;
  /** Whether variables are left unexpanded. */
  raw: boolean;
  warn(message: string): void;
}

export interface Loaded {
  model: Model;
  /** Places in the files, by path: 'services.web.ports' → 'compose.yaml:4:5'. */
  places: Map<string, string>;
}

interface Loading extends LoadOptions {
  places: Map<string, string>;
  /** Files being loaded, each included by the one before: a repeated file is a circle. */
  chain: readonly string[];
  /** Files that may still be read: each may include or extend many others, which do the same. */
  budget: { files: number };
}

const DEEPEST = 20;
const MOST_FILES = 1000;
const LARGEST_FILE = 4 * 1024 * 1024;
/** Characters of all values of a file once variables are replaced. */
const MOST_CHARACTERS = 1 << 26;

export async function loadModel(options: LoadOptions): Promise<Loaded> {
  const places = new Map<string, string>();
  return { model: await loadFiles({ ...options, places, chain: [], budget: { files: MOST_FILES } }), places };
}

async function loadFiles(loading: Loading): Promise<Model> {
  let merged: Model = {};
  for (const file of loading.files) {
    const { own, tagged } = await loadFile(loading, file, merged);
    const base = tagged.reduce(without, merged as unknown) as Model;
    merged = merge(base, own) as Model;
  }
  return merged;
}

/** The text of a file, which may be a pipe, and must have an end. */
export function readText(file: string): string {
  const chunks: Buffer[] = [];
  try {
    const fd = file === '-' ? 0 : openSync(file, 'r');
    try {
      for (let length = 0; length <= LARGEST_FILE; length += chunks.at(-1)!.length) {
        const chunk = Buffer.alloc(64 * 1024);
        const count = readSync(fd, chunk);
        if (count === 0) return Buffer.concat(chunks).toString();
        chunks.push(chunk.subarray(0, count));
      }
    } finally {
      if (fd !== 0) closeSync(fd);
    }
  } catch (cause) {
    throw new CommandError(`open ${file}: ${fileReason(cause)}`, { cause });
  }
  throw new CommandError(`${file}: the file is larger than 4 MiB`);
}

/** A file's path as errors show it. */
export const shownPath = (file: string): string => {
  if (file === '-') return '<stdin>';
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
};

export async function sourceOf(file: string): Promise<Source> {
  return modernized(await readSource(readText(file), shownPath(file)));
}

async function loadFile(loading: Loading, file: string, earlier: Model) {
  const { directory, home, raw } = loading;
  if (loading.chain.includes(file) || loading.chain.length > DEEPEST)
    throw new CommandError(
      `${shownPath(file)} includes or extends itself: ${[...loading.chain, file].map(shownPath).join(' → ')}`,
    );
  if (loading.budget.files-- === 0)
    throw new CommandError(`${shownPath(file)}: more than ${MOST_FILES} files are included or extended`);
  const source = await sourceOf(file);
  const tagged = taggedKeys(source);
  const filled = filledIn(withoutReset(source), loading);
  if (filled.value === null) throw new CommandError(`${shownPath(file)}: the file is empty`);
  remember(filled, loading.places);
  if (entries(filled).some(([key]) => key === 'version'))
    loading.warn(
      `${shownPath(file)}: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion`,
    );
  const within: Context = { directory, home, raw };
  const { include = [], ...own } = model(filled, within);
  const chain = [...loading.chain, file];
  const included: Model[] = [];
  for (const each of include) {
    const files = each.path ?? [];
    const first = files[0] ?? directory;
    const place = each.project_directory ?? dirname(first);
    const lookup = lookupOf([loading.lookup, ...environmentFiles(each.env_file, place, loading.lookup)]);
    included.push(await loadFiles({ ...loading, files, directory: place, lookup, chain }));
  }
  const services: Record<string, Service> = {};
  for (const name of Object.keys(own.services ?? {}))
    services[name] = await extended({ loading: { ...loading, chain }, file, own, earlier, name, seen: [] });
  const whole = { ...own, ...(own.services === undefined ? {} : { services }) };
  return { own: withIncluded(whole, included, loading.places), tagged };
}

/** Adds the included files' objects; one that is already defined differently is an error. */
function withIncluded(own: Model, included: readonly Model[], places: Map<string, string>): Model {
  let result = own as Record<string, Record<string, unknown>>;
  for (const each of included) {
    for (const kind of ['services', 'networks', 'volumes', 'secrets', 'configs'] as const) {
      for (const [name, value] of Object.entries(each[kind] ?? {})) {
        const there = result[kind]?.[name];
        if (there && value && JSON.stringify(there) !== JSON.stringify(value)) {
          const path = `${kind}.${name}`;
          throw wrongAt(
            { path, place: places.get(path) ?? '' },
            'is in an included file too, and differs there',
          );
        }
        result = { ...result, [kind]: { ...result[kind], [name]: there ?? value } };
      }
    }
  }
  return result as Model;
}

/** Variables for an included file: those of the `.env` beside it, unless it names other files. */
function environmentFiles(files: string[] | undefined, directory: string, lookup: Lookup): Lookup[] {
  if (files !== undefined) return files.map(file => variablesOf(file, lookup));
  try {
    return [variablesOf(`${directory}/.env`, lookup)];
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException)?.code === 'ENOENT') return [];
    throw error;
  }
}

export const lookupOf =
  (lookups: readonly Lookup[]): Lookup =>
  name => {
    for (const lookup of lookups) {
      const value = lookup(name);
      if (value !== undefined) return value;
    }
    return undefined;
  };

export function readDotenv(file: string, lookup: Lookup): Map<string, string | undefined> {
  const text = readText(file);
  try {
    return decodeDotenv(text, lookup);
  } catch (cause) {
    throw new CommandError(`${shownPath(file)}: ${(cause as Error).message}`, { cause });
  }
}

export function variablesOf(file: string, lookup: Lookup): Lookup {
  const variables = readDotenv(file, lookup);
  return name => variables.get(name);
}

function filledIn(source: Source, { lookup, warn, raw }: Loading): Source {
  if (raw) return source;
  const missing = (name: string) =>
    warn(`The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`);
  let characters = 0;
  return mapStrings(source, (text, at) => {
    try {
      const value = interpolate(text, { lookup, missing });
      characters += value.length;
      if (characters > MOST_CHARACTERS)
        throw new Error(`makes the file longer than ${MOST_CHARACTERS} characters`);
      return value;
    } catch (cause) {
      throw wrongAt(at, (cause as Error).message);
    }
  });
}

function remember(source: Source, places: Map<string, string>): void {
  places.set(source.path, source.place);
  if (source.value instanceof Map) for (const each of source.value.values()) remember(each, places);
  else if (Array.isArray(source.value)) for (const each of source.value) remember(each as Source, places);
}

interface Extending {
  loading: Loading;
  file: string;
  own: Model;
  earlier: Model;
  name: string;
  seen: readonly string[];
}

/** Merges a service over the one that it extends. */
async function extended({ loading, file, own, earlier, name, seen }: Extending): Promise<Service> {
  const { extends: from, ...service } = own.services?.[name] ?? {};
  if (from === undefined) return service;
  const at = {
    path: `services.${name}.extends`,
    place: loading.places.get(`services.${name}.extends`) ?? shownPath(file),
  };
  if (seen.includes(name) || seen.length > DEEPEST)
    throw wrongAt(at, `leads back to itself: ${[...seen, name].join(' → ')}`);
  let base: Service | undefined;
  if (from.file !== undefined && from.file !== file) {
    // The other file's error places are kept apart, so that they do not overwrite this file's.
    const other = { ...loading, directory: dirname(from.file), places: new Map<string, string>() };
    const { own } = await loadFile(other, from.file, {});
    base = own.services?.[from.service] ?? undefined;
  } else if (own.services && Object.hasOwn(own.services, from.service))
    base = await extended({ loading, file, own, earlier, name: from.service, seen: [...seen, name] });
  else base = earlier.services?.[from.service] ?? undefined;
  if (base === undefined)
    throw wrongAt(
      at,
      `names the service ${JSON.stringify(from.service)}, which is not in ${basename(from.file ?? file)}`,
    );
  return merge(base, service, `services.${name}`) as Service;
}

/** The file's `name`, read before the rest of the file. */
export function nameIn(source: Source, lookup: Lookup): string | undefined {
  if (!(source.value instanceof Map)) return undefined;
  const name = new Map(entries(source)).get('name');
  return typeof name?.value === 'string' ? interpolate(name.value, { lookup, missing: () => {} }) : undefined;
}
