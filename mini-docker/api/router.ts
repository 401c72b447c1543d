// From a method and a path to the function that answers. A pattern's {name} stands for one segment; {name:path} for
// one or more, since names of images have slashes in them.

import type { IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Engine } from '../engine/core/engine.ts';
import { ExpectedError } from '../formats/errors.ts';

export interface Call {
  engine: Engine;
  request: IncomingMessage;
  /** What the pattern's names stand for, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** 47 for version 1.47, which is what the client speaks. */
  version: number;
  /** The whole body of the request; 413 when it is larger than any honest JSON. */
  body(): Promise<Buffer>;
  /** A signal that aborts when the client has gone before it had its whole answer. */
  whenGone(): AbortSignal;
  /** Sends the head of an answer of unknown length at once; what is written goes out as it comes. */
  stream(headers: Record<string, string>): Writable;
  /** Makes the connection a plain stream of bytes in both directions. Only where the route says `hijacks`. */
  hijack(contentType: string): Promise<Hijacked>;
}

/** Input ends when the client sends no more, which is not that it has gone. */
export interface Hijacked {
  input: Readable;
  output: Writable;
  /** Ends the connection once everything that was written is on its way. */
  close(): void;
}

/** A whole answer; undefined from a handler means that it has streamed its answer itself. */
export interface Answer {
  status: number;
  /** A string is sent as it is, everything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version prefix. */
  pattern: string;
  /** The answer may be a plain stream of bytes in both directions. */
  hijacks?: boolean;
  handle(call: Call): Promise<Answer | undefined>;
}

export const json = (body: unknown, status = 200): Answer => ({ status, body });
export const empty = (status: number): Answer => ({ status });

export interface Found {
  route: Route;
  params: Record<string, string>;
}

export interface Router {
  /** `path` without version prefix and query. undefined when nothing answers there. */
  find(method: string, path: string): Found | undefined;
  /** Never throws: it is asked before the request can be answered. */
  hijacks(method: string, path: string): boolean;
}

interface Compiled {
  route: Route;
  names: string[];
  regexp: RegExp;
}

export function router(routes: Route[]): Router {
  // Few patterns share method and first segment, so a linear look through those is as fast as a tree.
  const groups = new Map<string, Compiled[]>();
  for (const route of routes) {
    const key = `${route.method} ${firstSegment(route.pattern)}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(compile(route));
  }
  const match = (method: string, path: string) => {
    for (const compiled of groups.get(`${method} ${firstSegment(path)}`) ?? []) {
      const values = compiled.regexp.exec(path);
      if (values) return { ...compiled, values: values.slice(1) };
    }
    return undefined;
  };
  return {
    find(method, path) {
      const found = match(method, path);
      if (found === undefined) return undefined;
      const { route, names, values } = found;
      return { route, params: Object.fromEntries(names.map((name, at) => [name, decoded(values[at]!)])) };
    },
    hijacks: (method, path) => match(method, path)?.route.hijacks === true,
  };
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path : path.slice(0, end);
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const source = route.pattern.replace(/\{(\w+)(:path)?\}|[.*+?^$()|[\]\\]/g, (text, name, path) => {
    if (name === undefined) return `\\${text}`;
    names.push(name);
    return path ? '(.+)' : '([^/]+)';
  });
  return { route, names, regexp: new RegExp(`^${source}$`) };
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new ExpectedError('badParameter', `invalid URL escape in "${segment}"`, { cause });
  }
}
