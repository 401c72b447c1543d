// Hijacking: attach and exec turn their HTTP connection into a plain stream of bytes in both directions,
// after a 101 if the client asked for `Upgrade: tcp`, else after a 200, whose body ends with the connection
// (https://docs.docker.com/reference/api/engine/version/v1.47/, "Hijacking" of ContainerAttach).

import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { badParameter, ExpectedError } from '../formats/errors.ts';
import { LARGEST_JSON } from './json-body.ts';
import type { Hijacked } from './router.ts';

/** Milliseconds to wait for a client to close its side. */
const LINGER_MS = 10_000;
const PROBE_MS = 1000;

/**
 * Writes the answer's head. Bytes that follow the request on the connection are input; chunked framing is
 * removed.
 */
export async function hijackConnection(options: {
  request: IncomingMessage;
  socket: Duplex;
  /** The request's body; `isRead` when the handler has asked for it. */
  body: { isRead: boolean; read(): Promise<Buffer> };
  contentType: string;
  headers: Record<string, string>;
  whenRead: WhenRead | undefined;
}): Promise<Hijacked> {
  const { request, socket, body, contentType, headers, whenRead } = options;
  const upgrades = asksForTcp(request);
  // No byte of a body that precedes an upgrade may be taken for the program's input.
  if (upgrades) await body.read();
  const isFramed = !upgrades && !body.isRead && isChunked(request);
  if (upgrades) {
    const upgraded = { 'Content-Type': contentType, Connection: 'Upgrade', Upgrade: 'tcp', ...headers };
    writeHead(socket, 'HTTP/1.1 101 UPGRADED', upgraded);
  } else {
    writeHead(socket, 'HTTP/1.1 200 OK', { ...headers, 'Content-Type': contentType, Connection: 'close' });
  }
  // docker-py discards all bytes that it reads together with the head.
  await whenRead?.(() => descriptorOf(socket));
  probe(socket);
  return {
    input: isFramed ? Readable.from(chunks(socket), { objectMode: false }) : socket,
    output: socket,
    close() {
      closeGently(socket);
      socket.resume();
    },
  };
}

/** The type of whenRead() in linux/unread.ts. */
export type WhenRead = (descriptor: () => number | undefined) => Promise<void>;

/** The descriptor of a socket without TLS. Node keeps it in an undocumented place. */
function descriptorOf(socket: Duplex): number | undefined {
  return (socket as { _handle?: { fd?: number } | null })._handle?.fd;
}

/**
 * dockerd does not require `Connection: Upgrade` beside it. Other protocols are ignored: curl offers h2c by
 * itself.
 */
function asksForTcp({ headers: { upgrade = '' } }: IncomingMessage): boolean {
  return upgrade.split(',').some(protocol => protocol.trim().toLowerCase() === 'tcp');
}

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/**
 * Detects a killed client, which looks like one that has only stopped sending. On a unix socket an empty
 * write tells them apart: EPIPE when there is no reader (unix_stream_sendmsg in the kernel's
 * net/unix/af_unix.c); over TCP, keepalive does.
 */
function probe(socket: Duplex): void {
  if (socket instanceof Socket) socket.setKeepAlive(true, 30_000);
  socket.once('end', () => {
    const timer = setInterval(() => {
      if (!socket.writableEnded && !socket.writableNeedDrain) socket.write('');
    }, PROBE_MS);
    timer.unref();
    socket.once('close', () => clearInterval(timer));
  });
}

/**
 * Ends its output and waits until the client has seen that, while the socket is still read: closing it with
 * unread bytes makes the kernel report ECONNRESET to the client, which may then lose the last of the output.
 */
export function closeGently(socket: Duplex): void {
  if (socket.destroyed) return;
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  late.unref();
  socket.once('close', () => clearTimeout(late));
  socket.end();
  // The stream closes by itself once both directions have ended.
}

/** Reads the body of a request whose connection Node has handed over: it is still in the stream. */
export async function bodyFrom(request: IncomingMessage, socket: Duplex): Promise<Buffer> {
  const tooLarge = () => new ExpectedError('tooLarge', `request body is larger than ${LARGEST_JSON} bytes`);
  if (request.headers.expect !== undefined) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  if (!isChunked(request)) {
    const length = Number(request.headers['content-length'] ?? 0);
    if (!(length <= LARGEST_JSON)) throw tooLarge();
    return readExactly(socket, length);
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of chunks(socket)) {
    length += piece.length;
    if (length > LARGEST_JSON) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Bytes of one read, and limit of a line between chunks. */
const PIECE = 64 * 1024;
const LONGEST_LINE = 1024;
const MOST_TRAILERS = 64;

/**
 * Reads a chunked body (RFC 9112, 7.1) and not a byte beyond it. @throws badParameter when it is malformed
 */
async function* chunks(socket: Duplex): AsyncGenerator<Buffer, void> {
  const malformed = () => badParameter('the chunked request body is malformed');
  for (;;) {
    const [, digits] = /^([\da-f]{1,12})\s*(?:;.*)?$/i.exec(await readLine(socket)) ?? [];
    if (digits === undefined) throw malformed();
    let left = Number.parseInt(digits, 16);
    if (left === 0) break;
    for (; left > 0; left -= Math.min(left, PIECE)) yield await readExactly(socket, Math.min(left, PIECE));
    if ((await readLine(socket)) !== '') throw malformed();
  }
  for (let trailers = 0; (await readLine(socket)) !== ''; trailers++) {
    if (trailers === MOST_TRAILERS) throw malformed();
  }
}

async function readLine(socket: Duplex): Promise<string> {
  let line = '';
  while (!line.endsWith('\n')) {
    if (line.length === LONGEST_LINE) throw badParameter('a line of the chunked request body is too long');
    line += (await readExactly(socket, 1)).toString('latin1');
  }
  return line.replace(/\r?\n$/, '');
}

function readExactly(socket: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const bytes = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null);
      if (bytes === null) return;
      // At its end a stream returns what it has, even if that is less than asked for.
      settle();
      if (bytes.length < length) reject(badParameter('the request body is shorter than its Content-Length'));
      else resolve(bytes);
    };
    const cut = () => {
      settle();
      reject(badParameter('the connection ended within the request body'));
    };
    const settle = () => {
      for (const event of ['end', 'error', 'close']) socket.off(event, cut);
      socket.off('readable', look);
    };
    for (const event of ['end', 'error', 'close']) socket.on(event, cut);
    socket.on('readable', look);
    look();
  });
}

/** Writes a head on a socket that Node's HTTP server has handed over. */
export function writeHead(socket: Duplex, statusLine: string, headers: Record<string, string>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${statusLine}\r\n${lines.join('')}\r\n`);
}
