// HTTP on a unix socket, and the two things about it that are Docker's: versions in the path, and hijacked connections.
// The engine: mini-docker/api/router.ts, hijack.ts and versions.ts
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createConnection } from 'node:net';
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { Mistake } from '../04-mounts/mistake.ts';
import { type Box, findBox, Refusal } from './boxes.ts';
import { adopt } from './life.ts';

/** The newest version of the API that this daemon speaks, and the oldest: 1.NUMBER. */
export const VERSION = { newest: 44, oldest: 24 };

/** One request, and the means to answer it. */
export interface Exchange {
  query: URLSearchParams;
  /** 41 for a path that begins with /v1.41. */
  version: number;
  /** The part of the path that is a name. */
  name: string;
  /** The box that the path names. @throws Refusal */
  box(): Box;
  body<T>(): Promise<T>;
  json(value: object, status?: number): void;
  empty(status: number): void;
  /** An answer that has no end yet. Its head is sent at once. */
  stream(type: string): Writable;
  /** Takes the connection over: from here on it is not HTTP any more. */
  hijack(type: string): { input: Readable; output: Writable };
  /** Fires when the client has gone. */
  gone: AbortSignal;
}

export type Route = [method: string, path: RegExp, answer: (exchange: Exchange) => unknown];

/** @throws Mistake if another daemon serves there */
export async function claim(socket: string): Promise<void> {
  if (await answers(socket)) throw new Mistake(`a daemon serves at ${socket} already`);
  // A killed daemon leaves its socket behind: a name at which no process answers.
  rmSync(socket, { force: true });
}

export async function serve(socket: string, routes: readonly Route[]): Promise<void> {
  const server = createServer((request, response) => {
    // From this header of any answer a client learns which version to speak.
    response.setHeader('Api-Version', `1.${VERSION.newest}`).setHeader('Ostype', 'linux');
    void handle(routes, { request, response });
  });
  server.on('upgrade', (request, connection, head) => {
    connection.unshift(head);
    void handle(routes, { request, connection });
  });
  server.listen(socket);
  await once(server, 'listening');
  // Whoever can write here can mount / into a box: that is root.
  chmodSync(socket, 0o600);
}

async function answers(socket: string): Promise<boolean> {
  const attempt = createConnection(socket);
  const connected = await Promise.race([
    once(attempt, 'connect').then(() => true),
    once(attempt, 'error').then(() => false),
  ]).catch(() => false);
  attempt.destroy();
  return connected;
}

type Raw = { request: IncomingMessage; response?: ServerResponse; connection?: Duplex };

async function handle(routes: readonly Route[], raw: Raw): Promise<void> {
  const gone = new AbortController();
  const output = raw.response ?? raw.connection!;
  // A client may go at any moment. Without these, its going would be an uncaught error of ours.
  output.on('error', () => gone.abort()).on('close', () => gone.abort());
  raw.request.on('error', () => {});
  const { pathname, searchParams: query } = new URL(raw.request.url ?? '/', 'http://box');
  const [, minor, path = pathname] = /^\/v1\.(\d+)(\/.*)$/.exec(pathname) ?? [];
  const version = Number(minor ?? VERSION.newest);
  const method = raw.request.method === 'HEAD' ? 'GET' : raw.request.method;
  const route = routes.find(([verb, pattern]) => verb === method && pattern.test(path));
  try {
    if (version > VERSION.newest || version < VERSION.oldest)
      throw new Refusal(
        400,
        `this daemon speaks versions 1.${VERSION.oldest} to 1.${VERSION.newest} of the API`,
      );
    if (route === undefined) throw new Refusal(404, `this daemon has no ${method} ${path}`);
    const name = decodeURIComponent(route[1].exec(path)?.[1] ?? '');
    await route[2]({
      ...means(raw),
      query,
      version,
      gone: gone.signal,
      name,
      box: () => adopt(findBox(name)),
    });
  } catch (error) {
    const status = error instanceof Refusal ? error.status : error instanceof Mistake ? 400 : 500;
    refuse(raw, status, error as Error);
  }
}

function refuse({ response, connection }: Raw, status: number, error: Error): void {
  if (status === 500) console.error(error);
  const text = JSON.stringify({ message: error.message });
  if (response !== undefined && !response.headersSent)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
  else response?.destroy();
  connection?.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

const MOST = 1 << 20;

function means({
  request,
  response,
  connection,
}: Raw): Omit<Exchange, 'query' | 'version' | 'gone' | 'name' | 'box'> {
  const plain = (): ServerResponse => {
    if (response === undefined) throw new Refusal(400, 'only attach can take a connection over');
    return response;
  };
  const stream = (type: string): ServerResponse => {
    plain().writeHead(200, { 'Content-Type': type }).flushHeaders();
    return plain();
  };
  return {
    async body() {
      let text = '';
      for await (const piece of request.setEncoding('utf8')) {
        text += piece;
        if (text.length > MOST) throw new Refusal(413, 'the body is too large');
      }
      return JSON.parse(text || '{}');
    },
    json: (value, status = 200) =>
      void plain().writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value)),
    empty: status => void plain().writeHead(status).end(),
    stream,
    hijack(type) {
      // A client that did not ask for it gets the output as a plain answer, and can send nothing.
      if (connection === undefined) return { input: new PassThrough().end(), output: stream(type) };
      connection.write(
        `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
      );
      return { input: connection, output: connection };
    },
  };
}
