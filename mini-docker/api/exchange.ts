// One request and its answer. There are two kinds: an ordinary one, and one whose connection Node has handed
// over because its route hijacks connections; there even errors are written byte by byte.

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { bodyFrom, closeGently, hijackConnection, type WhenRead, writeHead } from './hijack.ts';
import { readBody } from './json-body.ts';
import type { Answer, Hijacked } from './router.ts';

export interface Exchange {
  request: IncomingMessage;
  /** Whether the answer's head was sent: then a status can no longer report an error. */
  readonly started: boolean;
  /** Whether the client has disconnected. */
  readonly gone: boolean;
  send(answer: Answer): void;
  /** Breaks the connection, so that the client sees that the answer is incomplete. */
  cut(): void;
  body(): Promise<Buffer>;
  whenGone(): AbortSignal;
  stream(headers: Record<string, string>): Writable;
  hijack(contentType: string): Promise<Hijacked>;
}

export function plainExchange(options: {
  request: IncomingMessage;
  response: ServerResponse;
  headers: Record<string, string>;
}): Exchange {
  const { request, response, headers } = options;
  for (const stream of [request, response]) stream.on('error', () => {});
  return {
    request,
    get started() {
      return response.headersSent;
    },
    get gone() {
      return response.destroyed;
    },
    send(answer) {
      const { head, bytes } = encodeAnswer(answer, headers);
      response.writeHead(answer.status, head).end(bytes);
      // The rest of the body is discarded, or else the connection would be stuck.
      if (!request.complete) request.resume();
    },
    cut: () => response.destroy(),
    body: () => readBody(request),
    whenGone() {
      const controller = new AbortController();
      if (response.destroyed) controller.abort();
      else response.once('close', () => !response.writableFinished && controller.abort());
      return controller.signal;
    },
    stream(more) {
      response.writeHead(200, { ...headers, ...more });
      response.flushHeaders();
      return response;
    },
    async hijack() {
      throw new Error('the connection of this request is not available');
    },
  };
}

export function rawExchange(options: {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  headers: Record<string, string>;
  whenRead: WhenRead | undefined;
}): Exchange {
  const { request, socket, head, headers, whenRead } = options;
  socket.on('error', () => {});
  if (head.length > 0) socket.unshift(head);
  let started = false;
  let body: Promise<Buffer> | undefined;
  const readOnce = () => {
    body ??= bodyFrom(request, socket);
    return body;
  };
  return {
    request,
    get started() {
      return started;
    },
    get gone() {
      return socket.destroyed;
    },
    send(answer) {
      started = true;
      const { head: fields, bytes } = encodeAnswer(answer, { ...headers, Connection: 'close' });
      writeHead(socket, `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`, fields);
      if (bytes !== undefined) socket.write(bytes);
      socket.resume();
      closeGently(socket);
    },
    cut: () => socket.destroy(),
    body: readOnce,
    whenGone() {
      const controller = new AbortController();
      socket.once('close', () => controller.abort());
      return controller.signal;
    },
    stream() {
      throw new Error('this route cannot stream over HTTP');
    },
    async hijack(contentType) {
      const read = { isRead: body !== undefined, read: readOnce };
      const connection = await hijackConnection({
        request,
        socket,
        body: read,
        contentType,
        headers,
        whenRead,
      });
      started = true;
      return connection;
    },
  };
}

function encodeAnswer(answer: Answer, headers: Record<string, string>) {
  const { status, body } = answer;
  const head: Record<string, string> = { ...headers, ...answer.headers };
  if (status === 204 || status === 304) return { head };
  const text = body === undefined ? '' : typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  if (body !== undefined && typeof body !== 'string') head['Content-Type'] ??= 'application/json';
  const bytes = Buffer.from(text);
  head['Content-Length'] = String(bytes.length);
  return { head, bytes };
}
