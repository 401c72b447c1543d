// Attach and exec turn their HTTP connection into a plain stream of bytes in both directions: after a 101 when the
// client asked for `Upgrade: tcp`, else as the bodies of request and answer, the latter ended by closing the
// connection (https://docs.docker.com/reference/api/engine/version/v1.47/, "Hijacking" of ContainerAttach).

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HttpError } from './errors.ts';
import { LARGEST_JSON } from './json-body.ts';
import type { Hijacked } from './router.ts';

/** How long to wait for a client to take note that the connection has ended. */
const LINGER_MS = 10_000;
const PROBE_MS = 1000;

export function hijackUpgraded(options: {
  socket: Duplex;
  contentType: string;
  headers: Record<string, string>;
}): Hijacked {
  const { socket, contentType, headers } = options;
  writeHead(socket, 'HTTP/1.1 101 UPGRADED', {
    'Content-Type': contentType,
    Connection: 'Upgrade',
    Upgrade: 'tcp',
    ...headers,
  });
  probe(socket);
  return { input: socket, output: socket, close: () => closeGently(socket) };
}

/**
 * A client that was killed looks like one that only sends no more. On a unix socket an empty write tells them apart:
 * EPIPE when nobody can read (unix_stream_sendmsg in the kernel's net/unix/af_unix.c); over TCP, keepalive does.
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

export function hijackPlain(options: {
  request: IncomingMessage;
  response: ServerResponse;
  contentType: string;
  headers: Record<string, string>;
}): Hijacked {
  const { request, response, contentType, headers } = options;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, { ...headers, 'Content-Type': contentType, Connection: 'close' });
  response.flushHeaders();
  return { input: request, output: response, close: () => response.end() };
}

/**
 * Says that nothing more comes and waits until the client has seen it. Whoever reads the socket goes on: one that is
 * closed while bytes from the client are unread makes the kernel tell the client ECONNRESET, which may cost it the end
 * of the output.
 */
export function closeGently(socket: Duplex): void {
  if (socket.destroyed) return;
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  late.unref();
  socket.once('close', () => clearTimeout(late));
  socket.end();
  // Once both directions have ended, the stream closes by itself.
}

/**
 * The body of a request with `Upgrade`, which node leaves in the stream: as many bytes as Content-Length says. Of a
 * chunked one (dockerode sends them) only what came with the head; it is cut off from the stream.
 */
export async function bodyBeforeUpgrade(request: IncomingMessage, socket: Duplex): Promise<Buffer> {
  if (request.headers['transfer-encoding'] !== undefined) {
    return unchunked(socket);
  }
  const length = Number(request.headers['content-length'] ?? 0);
  if (!(length <= LARGEST_JSON))
    throw new HttpError(413, `request body is larger than ${LARGEST_JSON} bytes`);
  return readExactly(socket, length);
}

function readExactly(socket: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const bytes = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null);
      if (bytes === null) return;
      // At its end a stream gives what it has, however little.
      settle();
      if (bytes.length < length)
        reject(new HttpError(400, 'the request body is shorter than its Content-Length'));
      else resolve(bytes);
    };
    const cut = () => {
      settle();
      reject(new HttpError(400, 'the connection ended within the request body'));
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

function unchunked(socket: Duplex): Buffer {
  const bytes: Buffer = socket.read() ?? Buffer.alloc(0);
  const body: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new HttpError(400, 'the chunked request body is malformed');
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) throw new HttpError(400, 'the chunked request body is incomplete');
    if (size === 0) {
      if (at < bytes.length) socket.unshift(bytes.subarray(at));
      break;
    }
    body.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
  }
  return Buffer.concat(body);
}

/** For a socket that node's HTTP server has handed over. */
export function writeHead(socket: Duplex, statusLine: string, headers: Record<string, string>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${statusLine}\r\n${lines.join('')}\r\n`);
}
