// For the api's tests: a server over a pretend engine on a unix socket, and clients that see every byte.

import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from '../listen.ts';
import { type Pretended, pretendEngine } from './pretend-engine.ts';

export interface TestServer {
  socket: string;
  /** Errors that were reported to the daemon's log. */
  reported: unknown[];
  ask(method: string, path: string, options?: AskOptions): Promise<Reply>;
  /** A connection on which the test writes raw bytes. */
  raw(): Conversation;
  [Symbol.asyncDispose](): Promise<void>;
}

interface AskOptions {
  /** The body: sent as JSON unless it is a string or bytes. */
  body?: unknown;
  headers?: Record<string, string>;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read any field of it
  json: any;
}

export async function testServer(engine: Pretended): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-api-'));
  const socket = join(directory, 'api.sock');
  const reported: unknown[] = [];
  const listening = await listen({
    engine: pretendEngine(engine),
    host: `unix://${socket}`,
    report: error => reported.push(error),
  });
  return {
    socket,
    reported,
    ask: (method, path, options) => ask({ socket, method, path, ...options }),
    raw: () => converse(connect({ path: socket, allowHalfOpen: true })),
    async [Symbol.asyncDispose]() {
      await listening.close({ graceMs: 0 });
      rmSync(directory, { recursive: true });
    },
  };
}

function ask(options: AskOptions & { socket: string; method: string; path: string }): Promise<Reply> {
  const { socket, method, path, body } = options;
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const headers = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...options.headers };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, method, path, headers, agent: false }, async response => {
      let text = '';
      try {
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
      } catch (error) {
        reject(error);
      }
      const isJson = response.headers['content-type'] === 'application/json' && text !== '';
      const one = isJson && text.trimEnd().indexOf('\n') < 0;
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        text,
        json: one ? JSON.parse(text) : undefined,
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : raw ? body : JSON.stringify(body));
  });
}

interface Conversation {
  socket: Socket;
  /** Everything received so far. */
  heard(): string;
  say(text: string | Uint8Array): void;
  /** Waits until the received text contains or matches this. */
  until(wanted: string | RegExp): Promise<string>;
  /** Everything, once the server has closed its direction. */
  all(): Promise<string>;
}

function converse(socket: Socket): Conversation {
  let heard = '';
  const ended = Promise.withResolvers<void>();
  const changed = new Set<() => void>();
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    for (const look of changed) look();
  });
  socket.on('end', () => ended.resolve());
  socket.on('error', ended.reject);
  ended.promise.catch(() => {});
  return {
    socket,
    heard: () => heard,
    say: text => void socket.write(text),
    until: wanted =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (typeof wanted === 'string' ? !heard.includes(wanted) : !wanted.test(heard)) return;
          changed.delete(look);
          resolve(heard);
        };
        changed.add(look);
        ended.promise.then(() => reject(new Error(`ended before ${wanted}: ${heard}`)), reject);
        look();
      }),
    all: () => ended.promise.then(() => heard),
  };
}
