// A compose file as a tree of values with their places, so that errors name the file, the line and the key.

import type { Document, Node as YamlNode } from 'yaml';
import { CommandError } from '../errors.ts';

export type Scalar = string | number | boolean | null;

export interface Source {
  readonly value: Scalar | readonly Source[] | ReadonlyMap<string, Source>;
  /** Place in the file: 'compose.yaml:12:5'. */
  readonly place: string;
  /** Path of keys: 'services.web.ports[0]'. */
  readonly path: string;
  /** Tag in an override file: drops the value of earlier files, or replaces it. */
  readonly tag?: '!reset' | '!override';
}

/** Largest number of values, more than any project has; aliases of aliases could create billions. */
const MOST_VALUES = 100_000;

export const wrongAt = ({ place, path }: Pick<Source, 'place' | 'path'>, what: string): CommandError =>
  new CommandError(`${place}: ${path === '' ? '' : `${path} `}${what}`);

/** Reads YAML, resolving anchors, aliases and merge keys. @throws CommandError with a mistake's place */
export async function readSource(text: string, file: string): Promise<Source> {
  // Imported here because at the top the bundle would load it for every command.
  const { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document: Document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    logLevel: 'error',
    resolveKnownTags: false,
  });
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [problem] = document.errors;
  if (problem) {
    const { message } = problem;
    const what = message.startsWith('Maximum call stack') ? 'its values are nested too deeply' : message;
    throw new CommandError(`${placeAt(problem.pos[0])}: ${what}`);
  }

  let count = 0;
  // A map of anchors, because the library searches the whole document for each alias.
  const anchors = new Map<string, YamlNode>();
  const convert = (node: YamlNode | null, path: string, parent: string): Source => {
    const converted = convertNode(node, path, parent);
    // Added after the node's contents, so that a node cannot contain itself.
    if (!isAlias(node) && node?.anchor) anchors.set(node.anchor, node);
    return converted;
  };
  const convertNode = (node: YamlNode | null, path: string, parent: string): Source => {
    const place = node?.range ? placeAt(node.range[0]) : parent;
    count += 1;
    if (count > MOST_VALUES)
      throw new CommandError(`${place}: more than ${MOST_VALUES} values, aliases counted`);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (!target) throw new CommandError(`${place}: there is no anchor &${node.source}`);
      return { ...convert(target, path, place), place };
    }
    const tag = tagOf(node?.tag);
    if (isScalar(node)) return { value: scalarOf(node.value, node.source, node.type), place, path, ...tag };
    if (isSeq(node)) {
      const value = node.items.map((item, index) => convert(item as YamlNode, `${path}[${index}]`, place));
      return { value, place, path, ...tag };
    }
    if (!isMap(node)) return { value: null, place, path, ...tag };
    const own = new Map<string, Source>();
    const merged = new Map<string, Source>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.source ?? key.value ?? '') : String(key);
      const at = (key as YamlNode).range ? placeAt((key as YamlNode).range![0]) : place;
      if (name === '<<') {
        for (const [inner, each] of mergedMaps(convert(value as YamlNode, path, at)))
          if (!merged.has(inner)) merged.set(inner, each);
        continue;
      }
      own.set(name, { ...convert(value as YamlNode, path === '' ? name : `${path}.${name}`, at), place: at });
    }
    return { value: new Map([...merged, ...own]), place, path, ...tag };
  };
  return convert(document.contents, '', `${file}:1:1`);
}

const tagOf = (tag: string | undefined): Pick<Source, 'tag'> =>
  tag === '!reset' || tag === '!override' ? { tag } : {};

/** The mappings of `<<: *one` or `<<: [*one, *two]`; the first that has a key gives its value. */
function mergedMaps(source: Source): [string, Source][] {
  if (source.value instanceof Map) return [...source.value];
  if (Array.isArray(source.value)) return source.value.flatMap(mergedMaps);
  throw wrongAt(source, 'merges with <<, which takes a mapping or a list of mappings');
}

/** As in Go's YAML and in YAML 1.1, 0440 is an octal number. */
function scalarOf(value: unknown, text: string | undefined, type: string | undefined): Scalar {
  if (type === 'PLAIN' && text !== undefined && /^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  if (typeof value === 'bigint') return Number(value);
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return text ?? String(value);
}

/** The same tree with every string replaced, except keys. */
export function mapStrings(source: Source, replace: (text: string, at: Source) => string): Source {
  const { value } = source;
  if (typeof value === 'string') return { ...source, value: replace(value, source) };
  if (Array.isArray(value)) return { ...source, value: value.map(each => mapStrings(each, replace)) };
  if (value instanceof Map)
    return { ...source, value: new Map([...value].map(([key, each]) => [key, mapStrings(each, replace)])) };
  return source;
}
