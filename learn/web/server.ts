// The server of `learn web`: the site's pages, their news, and one action, a check. It answers only on loopback, only
// under its own name, and only to an address that contains the token.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { CONTENT_POLICY } from './layout.ts';
import type { Live } from './live.ts';
import { contentAt } from './site.ts';

interface Served {
  live: Live;
  token: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const HEADERS = {
  'Content-Security-Policy': `${CONTENT_POLICY.replaceAll(' file:', '')}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Open event streams at most; each visible page has one. */
const STREAMS = 30;

/** Bytes that a page may leave unread before its stream is ended; it then connects anew. */
const UNREAD = 1_000_000;

/** @param port 0 for a free one @returns the server, which listens */
export async function serve({ port, ...served }: Served & { port: number }): Promise<Server> {
  let streams = 0;
  const server = createServer(async (request, response) => {
    try {
      const refused = refusal(request, served.token, (server.address() as AddressInfo).port);
      if (refused !== undefined) return answer(response, ...refused);
      const path = pathOf(request);
      if (path !== 'events') return await respond(path, { request, response, served });
      if (streams >= STREAMS) return answer(response, 503, 'too many pages are open');
      streams++;
      response.once('close', () => streams--);
      await stream(response, served.live);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else answer(response, 500, `the page cannot be made: ${(error as Error).message}`);
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  return server;
}

/** A page of another site can make the browser ask us, under a name of its own, but cannot know the token. */
function refusal(request: IncomingMessage, token: string, port: number): [number, string] | undefined {
  const { host = '', origin } = request.headers;
  const names = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!names.includes(host)) return [403, 'this server does not have that name'];
  if (origin !== undefined && origin !== `http://${host}`)
    return [403, 'the request comes from another site'];
  const [given, wanted] = [Buffer.from(request.url?.split('/')[1] ?? ''), Buffer.from(token)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    return [403, "open the address that 'learn web' printed: this one lacks its token"];
  const method = pathOf(request).startsWith('check/') ? 'POST' : 'GET';
  return request.method === method ? undefined : [405, `only ${method} is allowed here`];
}

/** What follows the token. It is compared with names and never decoded, so '%2e' stays what it is. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0]!.split('/').slice(2).join('/');
}

async function respond(
  path: string,
  { request, response, served }: { request: IncomingMessage; response: ServerResponse; served: Served },
): Promise<void> {
  if (request.method === 'POST') {
    const begun = served.live.check(path.slice('check/'.length));
    return begun ? answer(response, 202, 'checking') : answer(response, 404, 'this exercise is not started');
  }
  const page = path === '' ? 'index.html' : path;
  const content = await contentAt(page, { live: true });
  if (content === undefined) return answer(response, 404, 'there is no such page');
  response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(page)]! }).end(content);
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function stream(response: ServerResponse, live: Live): Promise<void> {
  response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
  const end = await live.listen((name, data) => {
    response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    if (response.writableLength > UNREAD) response.destroy();
  });
  if (response.destroyed) end();
  else response.once('close', end);
}
