// A server of pages for one user of this machine: it listens on loopback or at a unix socket, answers only under its own
// name, and only to addresses that contain its token.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname } from 'node:path';

/** @param name the event's name for the page's script @param data JSON */
export type Tell = (name: string, data: object) => void;

export interface Site {
  /** The command that prints the address: 'learn web'. */
  command: string;
  /** @param path as in links: 'index.html' @returns undefined if the site has no such page */
  page(path: string): string | undefined | Promise<string | undefined>;
  /** How the addresses of actions begin, which are POSTed: 'check/'. */
  actions: string;
  /** @param path what follows `actions` @returns undefined if there is no such action */
  act(path: string): Reply | undefined | Promise<Reply | undefined>;
  /** By address: each tells what is known, and from then on what is new. It returns how to end that. */
  streams: Readonly<Record<string, (tell: Tell, query: URLSearchParams) => Ending | Promise<Ending>>>;
}

type Ending = () => void;

export interface Reply {
  status: number;
  text: string;
}

export interface LocalServer extends AsyncDisposable {
  /** The address of the first page, with the token; with a unix socket its path alone: '/TOKEN/'. */
  address: string;
  /** What to tell the user. */
  invitation: string;
}

/** Nothing but the site's own files, and no place in another site's frame. */
export const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const HEADERS = {
  'Content-Security-Policy': `${CONTENT_POLICY}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Open event streams at most; each visible page has one or two. */
const STREAMS = 30;

/** Bytes that a page may leave unread before its stream is ended; it then connects anew. */
const UNREAD = 1_000_000;

/** @param where a port of 127.0.0.1, 0 for a free one; or the path of a unix socket for this user alone */
export async function serveLocally(
  site: Site,
  where: { port: number } | { socket: string },
): Promise<LocalServer> {
  const token = randomBytes(16).toString('hex');
  let streams = 0;
  let names = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;
  const server = createServer(async (request, response) => {
    try {
      const refused = refusal(request, { site, token, names });
      if (refused !== undefined) return answer(response, refused);
      const { path, query } = decodeTarget(request);
      const stream = Object.hasOwn(site.streams, path) ? site.streams[path] : undefined;
      if (stream === undefined) return await respond(response, { site, path, method: request.method });
      if (streams >= STREAMS) return answer(response, { status: 503, text: 'too many pages are open' });
      streams++;
      response.once('close', () => streams--);
      response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      const end = await stream((name, data) => send(response, name, data), query);
      if (response.destroyed) end();
      else response.once('close', end);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else answer(response, { status: 500, text: `the page cannot be made: ${(error as Error).message}` });
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  if ('socket' in where) checkPlace(where.socket);
  if ('port' in where) server.listen(where.port, '127.0.0.1', resolve);
  else {
    const before = process.umask(0o177);
    server.listen(where.socket, resolve);
    process.umask(before);
  }
  await promise;
  const bound = server.address();
  if (typeof bound === 'object') names = new RegExp(`^(?:127\\.0\\.0\\.1|localhost):${bound!.port}$`);
  const path = `/${token}/`;
  const address = typeof bound === 'object' ? `http://127.0.0.1:${(bound as AddressInfo).port}${path}` : path;
  return {
    address,
    invitation:
      'port' in where
        ? `Open ${address} in a browser.`
        : `Listening at ${where.socket}. Make a tunnel (ssh -L 8080:${where.socket} HOST), and open http://localhost:8080${path} in a browser.`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The kernel's errors for these are misleading. */
function checkPlace(socket: string): void {
  if (!existsSync(dirname(socket))) throw new Error(`there is no directory ${dirname(socket)}`);
  if (existsSync(socket)) throw new Error(`${socket} exists: remove it if no other command listens there`);
}

/** A page of another site can make the browser ask us, under a name of its own, but cannot know the token. */
function refusal(
  request: IncomingMessage,
  { site, token, names }: { site: Site; token: string; names: RegExp },
): Reply | undefined {
  const { host = '', origin } = request.headers;
  if (!names.test(host)) return { status: 403, text: 'this server does not have that name' };
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, text: 'the request comes from another site' };
  const [given, wanted] = [Buffer.from(request.url?.split('/')[1] ?? ''), Buffer.from(token)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    return { status: 403, text: `open the address that '${site.command}' printed: this one lacks its token` };
  const method = decodeTarget(request).path.startsWith(site.actions) ? 'POST' : 'GET';
  return request.method === method ? undefined : { status: 405, text: `only ${method} is allowed here` };
}

/** What follows the token. The path is compared with names and never decoded, so '%2e' stays what it is. */
function decodeTarget({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '', query] = url.split('?', 2);
  return { path: path.split('/').slice(2).join('/'), query: new URLSearchParams(query) };
}

async function respond(
  response: ServerResponse,
  { site, path, method }: { site: Site; path: string; method: string | undefined },
): Promise<void> {
  if (method === 'POST') {
    const done = await site.act(path.slice(site.actions.length));
    return answer(response, done ?? { status: 404, text: 'there is no such action' });
  }
  const page = path === '' ? 'index.html' : path;
  const content = await site.page(page);
  if (content === undefined) return answer(response, { status: 404, text: 'there is no such page' });
  response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(page)]! }).end(content);
}

function answer(response: ServerResponse, { status, text }: Reply): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
function send(response: ServerResponse, name: string, data: object): void {
  response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  if (response.writableLength > UNREAD) response.destroy();
}
