// Finds the function for a method and a path. {name} in a pattern matches one segment; {name:path} matches
// one or more, since names of images contain slashes.

import type { IncomingMessage } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Engine } from '../engine/core/engine.ts';
import { badParameter } from '../formats/errors.ts';

export interface Call {
  engine: Engine;
  request: IncomingMessage;
  /** Decoded values of the pattern's names. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** The minor version that the client speaks: 47 for 1.47. */
  version: number;
  /**
   * Reads the whole body of the request. @throws ExpectedError tooLarge when it exceeds any legitimate JSON
   */
  body(): Promise<Buffer>;
  /** A signal that aborts when the client disconnects before the end of the answer. */
  whenGone(): AbortSignal;
  /** Sends the head of an answer of unknown length immediately; every write is sent as it comes. */
  stream(headers: Record<string, string>): Writable;
  /** Turns the connection into a plain stream of bytes in both directions. Only for routes with `hijacks`. */
  hijack(contentType: string): Promise<Hijacked>;
}

/** The input ends when the client stops sending, which does not mean that it has disconnected. */
export interface Hijacked {
  input: Readable;
  output: Writable;
  /** Closes the connection once all written bytes have been sent. */
  close(): void;
}

/** A complete answer; a handler that streams its answer returns undefined. */
export interface Answer {
  status: number;
  /** Sent as it is if a string, and otherwise as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** The path without the version prefix. */
  pattern: string;
  /** Whether the answer may be a plain stream of bytes in both directions. */
  hijacks?: boolean;
  handle(call: Call): Promise<Answer | undefined>;
}

export const json = (body: unknown, status = 200): Answer => ({ status, body });
export const empty = (status: number): Answer => ({ status });

export const route = (method: Route['method'], pattern: string, handle: Route['handle']): Route => ({
  method,
  pattern,
  handle,
});

/** A route that answers with what the engine tells, as JSON. */
export const reads = (
  method: Route['method'],
  pattern: string,
  read: (call: Call) => Promise<unknown> | unknown,
  status = 200,
): Route => route(method, pattern, async call => json(await read(call), status));

/** A route that has the engine do something, and answers without a body. */
export const does = (
  method: Route['method'],
  pattern: string,
  act: (call: Call) => Promise<unknown>,
  status = 204,
): Route =>
  route(method, pattern, async call => {
    await act(call);
    return empty(status);
  });

export interface Found {
  route: Route;
  /** Decoded values of the pattern's names. @throws badParameter when they cannot be decoded */
  params(): Record<string, string>;
}

export interface Router {
  /** Finds the route of a `path` without version prefix and query. undefined when there is none. Never throws. */
  find(method: string, path: string): Found | undefined;
}

interface Compiled {
  route: Route;
  names: string[];
  regexp: RegExp;
}

export function router(routes: Route[]): Router {
  // Few patterns share a method and a first segment, so a linear search among them is as fast as a tree.
  const groups = new Map<string, Compiled[]>();
  for (const route of routes) {
    const key = `${route.method} ${firstSegment(route.pattern)}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(compile(route));
  }
  return {
    find(method, path) {
      for (const { route, names, regexp } of groups.get(`${method} ${firstSegment(path)}`) ?? []) {
        const values = regexp.exec(path);
        if (values === null) continue;
        const params = () => Object.fromEntries(names.map((name, at) => [name, decoded(values[at + 1]!)]));
        return { route, params };
      }
      return undefined;
    },
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
    throw badParameter(`invalid URL escape in "${segment}"`, { cause });
  }
}
