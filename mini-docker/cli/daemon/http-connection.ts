// One HTTP/1.1 connection with the daemon. It uses node:net because loading node:http takes as long as
// starting Node (20 ms), and because a hijacked connection needs the socket itself. It implements the part of
// RFC 9112 that a daemon needs: bodies with a length, chunked, or until the connection ends; interim answers;
// upgrades.

import { connect, type Socket } from 'node:net';

export type Address = { path: string } | { host: string; port: number; tls?: TlsFiles };

export interface TlsFiles {
  /** Paths of PEM files. */
  ca?: string;
  cert?: string;
  key?: string;
  /**
   * Whether the daemon needs a certificate that `ca`, or else one of the machine's authorities, has signed.
   */
  verify: boolean;
}

export interface HttpRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface HttpResponse {
  status: number;
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  body: AsyncGenerator<Buffer, void>;
}

/** A whole body. node:stream/consumers does the same, and takes time to load. */
export const collected = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(chunks));

const MAX_HEAD = 64 * 1024;

export class ConnectionError extends Error {
  override name = 'ConnectionError';
}

export class HttpConnection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  /** Whether another request may follow on it. */
  reusable = true;
  idleSince = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      // The data is not needed yet: the kernel buffers the rest, and the daemon waits.
      if (!this.#wake) socket.pause();
      this.#notify();
    });
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
    socket.on('error', error => this.#finish(error));
  }

  #finish(error?: Error): void {
    this.#failure ??= error;
    this.#ended = true;
    this.reusable = false;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** The next bytes, undefined at the end. Rejects when the connection is broken. */
  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#failure) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        this.socket.resume();
      });
    }
    return this.#chunks.shift();
  }

  unread(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.unshift(chunk);
  }

  /**
   * Sends a request and reads the answer's head. The body must be read to the end before the next request.
   */
  async request({ method, path, headers = {}, body }: HttpRequest): Promise<HttpResponse> {
    const streamed = body !== undefined && !(body instanceof Uint8Array);
    const lines = [`${method} ${path} HTTP/1.1`, 'Host: docker', 'User-Agent: mini-docker'];
    for (const name in headers) lines.push(`${name}: ${headers[name]}`);
    if (streamed) lines.push('Transfer-Encoding: chunked');
    else if (body || method !== 'GET') lines.push(`Content-Length: ${body?.length ?? 0}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    this.socket.write(body && !streamed ? Buffer.concat([head, body]) : head);
    // The daemon may answer, with an error, before it has read everything.
    const sent = streamed ? this.#sendChunks(body) : undefined;
    let broken: unknown;
    sent?.catch(error => {
      broken = error;
      this.socket.destroy();
    });
    let response: HttpResponse;
    try {
      response = await this.#response(method);
    } catch (error) {
      throw broken ?? error;
    }
    return response;
  }

  async #sendChunks(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of body) {
      if (this.#ended) return;
      if (chunk.length === 0) continue;
      this.socket.write(`${chunk.length.toString(16)}\r\n`);
      this.socket.write(chunk);
      const more = this.socket.write('\r\n');
      if (!more && !this.socket.destroyed) {
        await new Promise<void>(resolve => {
          const done = () => {
            this.socket.off('drain', done).off('close', done);
            resolve();
          };
          this.socket.on('drain', done).on('close', done);
        });
      }
    }
    this.socket.write('0\r\n\r\n');
  }

  async #response(method: string): Promise<HttpResponse> {
    for (;;) {
      const { status, headers } = parseHead(await this.#head());
      // 100 Continue and the like precede the answer; 101 is the answer.
      if (status >= 100 && status < 200 && status !== 101) continue;
      if (/\bclose\b/i.test(headers.connection ?? '')) this.reusable = false;
      return { status, headers, body: this.#body(method, status, headers) };
    }
  }

  async #head(): Promise<string> {
    let have: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = await this.read();
      if (!chunk) throw new ConnectionError('the daemon closed the connection without an answer');
      have = have.length === 0 ? chunk : Buffer.concat([have, chunk]);
      const end = have.indexOf('\r\n\r\n');
      if (end >= 0) {
        this.unread(have.subarray(end + 4));
        return have.toString('latin1', 0, end);
      }
      if (have.length > MAX_HEAD) throw new ConnectionError('the server there does not speak HTTP');
    }
  }

  async *#body(
    method: string,
    status: number,
    headers: Record<string, string>,
  ): AsyncGenerator<Buffer, void> {
    if (method === 'HEAD' || status === 204 || status === 304 || status === 101) return;
    if (/\bchunked\b/i.test(headers['transfer-encoding'] ?? '')) {
      yield* this.#chunked();
      return;
    }
    const length = headers['content-length'];
    if (length === undefined) this.reusable = false;
    yield* this.#exactly(length === undefined ? Number.POSITIVE_INFINITY : Number(length));
  }

  async *#exactly(length: number): AsyncGenerator<Buffer, void> {
    for (let left = length; left > 0; ) {
      const chunk = await this.read();
      if (!chunk) {
        if (length === Number.POSITIVE_INFINITY) return;
        throw new ConnectionError('the connection with the daemon ended in the middle of an answer');
      }
      if (chunk.length > left) this.unread(chunk.subarray(left));
      yield chunk.subarray(0, left);
      left -= Math.min(left, chunk.length);
    }
  }

  async *#chunked(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (Number.isNaN(size)) throw new ConnectionError('the daemon sent a malformed answer');
      if (size === 0) break;
      yield* this.#exactly(size);
      await this.#line();
    }
    while ((await this.#line()) !== '');
  }

  async #line(): Promise<string> {
    let have = '';
    for (;;) {
      const chunk = await this.read();
      if (!chunk)
        throw new ConnectionError('the connection with the daemon ended in the middle of an answer');
      const end = chunk.indexOf(0x0a);
      if (end >= 0) {
        this.unread(chunk.subarray(end + 1));
        return (have + chunk.toString('latin1', 0, end)).replace(/\r$/, '');
      }
      have += chunk.toString('latin1');
    }
  }
}

/** Rejects with the socket's error (ENOENT, ECONNREFUSED, EACCES, …). */
export async function openConnection(address: Address): Promise<HttpConnection> {
  const tls = 'host' in address ? address.tls : undefined;
  const socket =
    tls && 'host' in address
      ? await secureSocket(address, tls)
      : connect({ ...address, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return new HttpConnection(socket);
}

async function secureSocket(
  { host, port }: { host: string; port: number },
  files: TlsFiles,
): Promise<Socket> {
  const [{ connect: secure }, { readFileSync }] = await Promise.all([import('node:tls'), import('node:fs')]);
  const read = (name: 'ca' | 'cert' | 'key') => {
    const path = files[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new ConnectionError(`cannot read the TLS file ${path}: ${(cause as Error).message}`, { cause });
    }
  };
  const pem = { ca: read('ca'), cert: read('cert'), key: read('key') };
  const options = { host, port, ...pem, rejectUnauthorized: files.verify, allowHalfOpen: true };
  return secure(options);
}

function parseHead(head: string): { status: number; headers: Record<string, string> } {
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (status === undefined) throw new ConnectionError('the server there does not speak HTTP');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: Number(status), headers };
}
