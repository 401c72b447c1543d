// The HTTP server of the Docker Engine API: versions, headers, routes, and errors.

import { IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { posix } from 'node:path';
import type { Engine } from '../engine/core/engine.ts';
import { badParameter, notFound } from '../formats/errors.ts';
import { RAW_STREAM } from './attachment.ts';
import { buildRoutes } from './build.ts';
import { containerFileRoutes } from './container-files.ts';
import { containerStreamRoutes } from './container-streams.ts';
import { containerRoutes } from './containers.ts';
import { errorAnswer } from './errors.ts';
import { type Exchange, plainExchange, rawExchange } from './exchange.ts';
import { execRoutes } from './exec.ts';
import type { WhenRead } from './hijack.ts';
import { imageTransferRoutes } from './image-transfer.ts';
import { imageRoutes } from './images.ts';
import { manifestRoutes } from './manifests.ts';
import { metricsRoutes } from './metrics.ts';
import { networkRoutes } from './networks.ts';
import { type Answer, type Call, empty, type Found, router } from './router.ts';
import { systemRoutes } from './system.ts';
import { unsupportedRoutes } from './unsupported.ts';
import { API_VERSION, commonHeaders, MIN_API_VERSION } from './versions.ts';
import { volumeRoutes } from './volumes.ts';
import { refuseWebPages } from './web-pages.ts';

export interface ApiOptions {
  engine: Engine;
  /** Receives unexpected exceptions, for the daemon's log. */
  report?(error: unknown): void;
  /** Receives a line per request: 'GET /v1.47/info', with its status and error. */
  debug?(line: string): void;
  whenRead?: WhenRead;
}

const ROUTES = router([
  ...containerRoutes,
  ...containerStreamRoutes,
  ...containerFileRoutes,
  ...execRoutes,
  ...imageRoutes,
  ...imageTransferRoutes,
  ...manifestRoutes,
  ...buildRoutes,
  ...networkRoutes,
  ...volumeRoutes,
  ...systemRoutes,
  ...metricsRoutes,
  ...unsupportedRoutes,
]);

const HEADERS_MS = 10_000;

/**
 * Makes a server that does not listen yet.
 * @param createServer the function of node:http or node:https
 */
export function apiServer(options: ApiOptions, createServer: (settings: ServerOptions) => Server): Server {
  const headers = commonHeaders(options.engine.system.version().Version);
  const server = createServer({
    // A client's credentials for many registries are sent in one header.
    maxHeaderSize: 1024 * 1024,
    // A client must send its request soon after it connects. After that an upload may take any time, and idle
    // clients keep their connections.
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: HEADERS_MS / 2,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    IncomingMessage: ApiRequest,
  });
  server.on('request', (request, response) => {
    void serve({ ...options, exchange: plainExchange({ request, response, headers }) });
  });
  for (const event of ['connection', 'secureConnection']) server.on(event, handOverAfterHead);
  server.on('upgrade', (request, socket, head) => {
    void serve({
      ...options,
      exchange: rawExchange({ request, socket, head, headers, whenRead: options.whenRead }),
    });
  });
  return server;
}

/**
 * Node's parser hands over a connection after the head of a request with `upgrade`, and treats bytes after
 * any other as the next request. Docker's clients hijack connections with and without an Upgrade header, so
 * the route decides, whatever the headers are.
 */
class ApiRequest extends IncomingMessage {
  get upgrade(): boolean {
    return this.method === 'CONNECT' || locate(this).found?.route.hijacks === true;
  }

  set upgrade(_asked: boolean) {}
}

/** What a parser's callback for a head returns when HTTP ends there: on_headers_complete of llhttp. */
const HTTP_ENDS = 2;

/**
 * Node 26's parser first reads the body of a request with `upgrade` and then, where no Upgrade header was sent, takes the bytes
 * after it for the next request. This answer makes it leave both in the connection, as that of Node 24 does.
 */
function handOverAfterHead({ parser }: { parser?: Parser }): void {
  if (parser === undefined) return;
  const { onIncoming } = parser;
  parser.onIncoming = (request, keepAlive) => {
    const next = onIncoming(request, keepAlive);
    return request.upgrade ? HTTP_ENDS : next;
  };
}

/** The part that is used here of Node's parser of a connection, which is undocumented. */
interface Parser {
  onIncoming(request: ApiRequest, keepAlive: boolean): number;
}

async function serve(options: ApiOptions & { exchange: Exchange }): Promise<void> {
  const { engine, exchange } = options;
  const { method, url } = exchange.request;
  options.debug?.(`${method} ${url}`);
  try {
    const answer = await handle({ engine, exchange });
    if (answer !== undefined) exchange.send(answer);
    engine.system.countRequest(method!, answer?.status ?? 200);
  } catch (error) {
    const { status, ...body } = errorAnswer(error);
    options.debug?.(`${method} ${url}: ${status} ${body.message}`);
    engine.system.countRequest(method!, status);
    if (exchange.gone) return;
    if (status === 500) options.report?.(error);
    if (exchange.started) exchange.cut();
    else exchange.send(status === 304 ? { status } : errorFor(exchange.request, status, body));
  }
}

async function handle({
  engine,
  exchange,
}: {
  engine: Engine;
  exchange: Exchange;
}): Promise<Answer | undefined> {
  checkHost(exchange.request);
  refuseWebPages(exchange.request);
  const { version, query, found } = locate(exchange.request);
  checkVersion(version);
  if (exchange.request.method === 'OPTIONS') return empty(200);
  if (found === undefined) {
    const plain = plainPath(exchange.request);
    if (plain !== undefined) return { status: 301, headers: { Location: plain } };
    throw notFound('page not found');
  }
  const call: Call = {
    engine,
    request: exchange.request,
    params: found.params(),
    query: new URLSearchParams(query),
    version: version === undefined ? API_VERSION : version.minor,
    body: exchange.body,
    whenGone: exchange.whenGone,
    stream: exchange.stream,
    hijack: exchange.hijack,
  };
  return found.route.handle(call);
}

/** Before 1.24 errors were plain text; those of an attach still are. */
function errorFor(request: IncomingMessage, status: number, body: { message: string }): Answer {
  const { version, path } = locate(request);
  if (request.method === 'POST' && path.endsWith('/attach'))
    return { status, body: `${body.message}\r\n`, headers: { 'Content-Type': RAW_STREAM } };
  if (version === undefined || version.major > 1 || version.minor >= 24) return { status, body };
  return {
    status,
    body: `${body.message}\n`,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  };
}

interface Located {
  /** undefined when the path has no version prefix. */
  version: { major: number; minor: number } | undefined;
  /** The path without it. */
  path: string;
  query: string;
  found: Found | undefined;
}

/** Kept for each request, since Node's parser asks several times. */
const located = new WeakMap<IncomingMessage, Located>();

function locate(request: IncomingMessage): Located {
  const known = located.get(request);
  if (known !== undefined) return known;
  const parts = partsOf(request);
  const found = { ...parts, found: ROUTES.find(request.method ?? '', parts.path) };
  located.set(request, found);
  return found;
}

function partsOf(request: IncomingMessage): Omit<Located, 'found'> {
  // A proxy sends the absolute form: http://host/path.
  const url = (request.url ?? '').replace(/^https?:\/\/[^/]*/, '');
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const prefix = /^\/v(\d{1,4})\.(\d{1,4})(?=\/)/.exec(path);
  if (prefix === null) return { version: undefined, path, query };
  const version = { major: Number(prefix[1]), minor: Number(prefix[2]) };
  return { version, path: path.slice(prefix[0].length), query };
}

/** As dockerd, whose HTTP library is strict: proxies disagree on which of two hosts is meant. */
function checkHost({ rawHeaders, headers }: IncomingMessage): void {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (count > 1) throw badParameter('bad request: too many Host headers');
  if (!/^[\w!$%&'()*+,\-./:;=[\]~]*$/.test(headers.host ?? ''))
    throw badParameter('bad request: malformed Host header');
}

/** The path without empty and dot segments, to which dockerd redirects; undefined when it has none. */
function plainPath(request: IncomingMessage): string | undefined {
  const [path = '', query] = (request.url ?? '').split(/(?=\?)/, 2);
  const plain = posix.normalize(path);
  return path.startsWith('/') && plain !== path ? `${plain}${query ?? ''}` : undefined;
}

function checkVersion(version: Located['version']): void {
  if (version === undefined) return;
  const { major, minor } = version;
  const client = `client version ${major}.${minor}`;
  if (major > 1 || (major === 1 && minor > API_VERSION)) {
    throw badParameter(`${client} is too new. Maximum supported API version is 1.${API_VERSION}`);
  }
  if (major < 1 || minor < MIN_API_VERSION) {
    const rest = 'please upgrade your client to a newer version';
    throw badParameter(
      `${client} is too old. Minimum supported API version is 1.${MIN_API_VERSION}, ${rest}`,
    );
  }
}
