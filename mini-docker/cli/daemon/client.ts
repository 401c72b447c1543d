// The client of the Docker Engine API over a unix socket or TCP
// (https://docs.docker.com/reference/api/engine/), for mini-docker's daemon and for dockerd.

import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { encodeUrlValue } from '../../formats/byte-names.ts';
import { daemonDirectories } from '../../formats/daemon-directories.ts';
import { CommandError, DaemonError, NoDaemonError } from '../errors.ts';
import {
  type Address,
  ConnectionError,
  collected,
  type HttpConnection,
  type HttpResponse,
  openConnection,
  type TlsFiles,
} from './http-connection.ts';
import { startDaemon } from './start.ts';

/** The version that the commands are written for; an older daemon is addressed in its own. */
const API_VERSION = '1.47';
/** Milliseconds; a connection that was idle for longer may just have been closed by the daemon. */
const REUSE_WITHIN = 1000;
/** Bytes; a 108th ends it. unix(7) */
const LONGEST_SOCKET_PATH = 107;

/** A parameter with a list is repeated. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface RequestOptions {
  query?: Query;
  /** A body to be sent as JSON. */
  json?: unknown;
  /** A body to be sent unchanged. */
  body?: Uint8Array | AsyncIterable<Uint8Array>;
  headers?: Record<string, string>;
}

type Request = [method: string, path: string, options?: RequestOptions];

export interface DaemonClientOptions {
  /**
   * The address from `--host`; else DOCKER_HOST, else mini-docker's own daemon, which is started if
   * necessary.
   */
  host?: string | undefined;
  /** Certificates for TCP. */
  tls?: TlsFiles | undefined;
  /** The program and arguments that start mini-docker's daemon. */
  daemonCommand: readonly string[];
  environment: NodeJS.ProcessEnv;
}

export class DaemonClient {
  /** The daemon's address: 'unix:///run/mini-docker/mini-docker.sock' */
  readonly url: string;
  readonly #address: Address;
  #start: (() => Promise<void>) | undefined;
  #idle: HttpConnection[] = [];
  #version: string | undefined;
  /** Answers in the daemon's place, or passes a request on by undefined. */
  standIn: ((...request: Request) => Promise<HttpResponse | undefined>) | undefined;

  constructor({ host, tls, daemonCommand, environment }: DaemonClientOptions) {
    const runDir = usedRunDir(environment);
    const own = `unix://${runDir}/mini-docker.sock`;
    const asked = host || environment.DOCKER_HOST;
    this.url = asked || own;
    this.#address = parseHost(this.url, tls);
    const socket = `${runDir}/mini-docker.sock`;
    if (!asked) this.#start = () => startDaemon({ command: daemonCommand, runDir, socket });
    this.#version = environment.DOCKER_API_VERSION || (asked ? undefined : API_VERSION);
  }

  /** From now on a daemon that is not there is an error: one that was ended on purpose shall not come back. */
  neverStart(): void {
    this.#start = undefined;
  }

  /** Opens connections for the next requests. Where that fails, they connect themselves and report why. */
  async openAhead(count: number): Promise<void> {
    const open = async () => this.#keep(await openConnection(this.#address));
    await Promise.allSettled(Array.from({ length: count }, open));
  }

  /** The API version of all requests. */
  async version(): Promise<string> {
    if (this.#version === undefined) {
      const response = await this.#send('GET', '/_ping', {});
      for await (const _ of response.body);
      this.#version = older(response.headers['api-version'] ?? '1.24', API_VERSION);
    }
    return this.#version;
  }

  /** @throws DaemonError when the daemon answers with an error, NoDaemonError when there is no answer */
  async request(...request: Request): Promise<HttpResponse> {
    return (await this.standIn?.(...request)) ?? this.direct(...request);
  }

  /** Asks the daemon itself. */
  async direct(...[method, path, options = {}]: Request): Promise<HttpResponse> {
    // A request that can be sent again asks no version first: a daemon that is older answers it with its own.
    const isOnce = options.body !== undefined && !(options.body instanceof Uint8Array);
    const version = isOnce ? await this.version() : (this.#version ?? API_VERSION);
    const response = await this.#send(method, `/v${version}${path}`, options);
    if (response.status < 400) {
      this.#version ??= version;
      return response;
    }
    const error = await refusal(response);
    const maximum = response.headers['api-version'];
    if (response.status === 400 && maximum !== undefined && older(maximum, version) !== version) {
      this.#version = maximum;
      return this.direct(method, path, options);
    }
    throw error;
  }

  async text(method: string, path: string, options?: RequestOptions): Promise<string> {
    const { body } = await this.request(method, path, options);
    return (await collected(body)).toString();
  }

  async json<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
    const body = await this.text(method, path, options);
    try {
      return (body.trim() === '' ? undefined : JSON.parse(body)) as T;
    } catch (cause) {
      throw new CommandError(`the daemon's answer to ${method} ${path} is not JSON`, { cause });
    }
  }

  /** Decodes a stream of JSON documents, separated by newlines or not at all. */
  async *jsonStream<T>(method: string, path: string, options?: RequestOptions): AsyncGenerator<T, void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of (await this.request(method, path, options)).body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as T;
  }

  /** Turns the request's connection into a stream in both directions. */
  async hijack(path: string, options: RequestOptions = {}): Promise<HttpConnection> {
    if (this.standIn !== undefined)
      throw new CommandError('this needs the daemon itself, and cannot be tried dry');
    const connection = this.#reuse() ?? (await this.#connect());
    connection.reusable = false;
    const response = await connection.request({
      method: 'POST',
      path: `/v${await this.version()}${path}${encodeQuery(options.query)}`,
      headers: { ...contentType(options), Connection: 'Upgrade', Upgrade: 'tcp' },
      ...body(options),
    });
    if (response.status >= 400) throw await refusal(response);
    return connection;
  }

  async #send(method: string, path: string, options: RequestOptions): Promise<HttpResponse> {
    const connection = this.#reuse() ?? (await this.#connect());
    const response = await connection
      .request({
        method,
        path: path + encodeQuery(options.query),
        headers: { ...contentType(options), ...options.headers },
        ...body(options),
      })
      .catch(error => {
        throw this.#refusal(error) ?? error;
      });
    return { ...response, body: this.#released(connection, response.body) };
  }

  async *#released(
    connection: HttpConnection,
    from: AsyncGenerator<Buffer, void>,
  ): AsyncGenerator<Buffer, void> {
    let whole = false;
    try {
      yield* from;
      whole = true;
    } finally {
      if (whole && connection.reusable) this.#keep(connection);
      else connection.socket.destroy();
    }
  }

  #keep(connection: HttpConnection): void {
    // Not performance.now(), whose first use takes 2 ms.
    connection.idleSince = Date.now();
    this.#idle.push(connection);
  }

  #reuse(): HttpConnection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      const idle = Date.now() - connection.idleSince;
      if (connection.reusable && idle >= 0 && idle < REUSE_WITHIN) return connection;
      connection.socket.destroy();
    }
    return undefined;
  }

  /** The error for a server that speaks another protocol, or refuses TLS. */
  #refusal(cause: unknown): NoDaemonError | undefined {
    if (cause instanceof ConnectionError)
      return new NoDaemonError(`${cause.message} (${this.url})`, { cause });
    // TLS errors: alerts of the other side, or its certificate.
    const { code = '', reason, message } = cause as NodeJS.ErrnoException & { reason?: string };
    if (!/^ERR_(SSL|TLS)_|^EPROTO$|CERT|SIGNATURE|ISSUER/.test(code)) return undefined;
    return new NoDaemonError(`no TLS connection with ${this.url}: ${reason ?? message}`, { cause });
  }

  async #connect(): Promise<HttpConnection> {
    const { path = '' } = this.#address as { path?: string };
    if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
      throw new NoDaemonError(
        `cannot use the socket ${path}: its path has more than ${LONGEST_SOCKET_PATH} bytes (unix(7)): choose a shorter directory with MINI_DOCKER_RUN_DIR or XDG_RUNTIME_DIR`,
      );
    }
    try {
      return await openConnection(this.#address);
    } catch (cause) {
      const refusal = this.#refusal(cause);
      if (refusal !== undefined) throw refusal;
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EACCES') {
        throw new NoDaemonError(
          `permission denied while connecting to the daemon at ${this.url}: try with sudo, or without DOCKER_HOST and MINI_DOCKER_RUN_DIR to use your own daemon`,
          {
            cause,
          },
        );
      }
      if (!this.#start || (code !== 'ENOENT' && code !== 'ECONNREFUSED')) {
        throw new NoDaemonError(
          `Cannot connect to the Docker daemon at ${this.url}. Is the docker daemon running?`,
          {
            cause,
          },
        );
      }
    }
    await this.#start();
    return openConnection(this.#address);
  }
}

/**
 * Run directory of the daemon to use: an ordinary user's own, unless only root's daemon runs and its socket's
 * group includes the user.
 */
function usedRunDir(env: NodeJS.ProcessEnv): string {
  const uid = process.getuid?.();
  const { runDir } = daemonDirectories({ uid, env, home: homedir(), exists: existsSync });
  if (uid === 0 || env.MINI_DOCKER_RUN_DIR || existsSync(`${runDir}/mini-docker.sock`)) return runDir;
  const roots = daemonDirectories({ uid: 0, env: {}, home: '/', exists: existsSync }).runDir;
  try {
    accessSync(`${roots}/mini-docker.sock`, constants.W_OK);
    return roots;
  } catch {
    return runDir;
  }
}

async function refusal(response: HttpResponse): Promise<DaemonError> {
  const text = (await collected(response.body)).toString();
  try {
    const { message, exitCode } = JSON.parse(text) as { message?: unknown; exitCode?: number };
    if (typeof message === 'string') return new DaemonError(response.status, message, exitCode);
  } catch {
    // Not JSON: from a proxy, or for an unknown path. The text itself is the message.
  }
  const message = text.trim() || `the daemon answered with status ${response.status}`;
  return new DaemonError(response.status, message);
}

const contentType = ({ json }: RequestOptions): Record<string, string> =>
  json === undefined ? {} : { 'Content-Type': 'application/json' };

function body({ json, body }: RequestOptions): { body?: Uint8Array | AsyncIterable<Uint8Array> } {
  if (json !== undefined) return { body: Buffer.from(JSON.stringify(json)) };
  return body === undefined ? {} : { body };
}

/** Booleans are 1 and 0, as in Docker's own client; undefined leaves a parameter out. */
function encodeQuery(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const values = [value ?? []].flat();
    return values.map(each => `${name}=${encodeUrlValue(String(typeof each === 'boolean' ? +each : each))}`);
  });
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Encodes `filters` for the API: {"status":{"running":true}} */
export function encodeFilters(
  filters: readonly (readonly [name: string, value: string])[],
): string | undefined {
  if (filters.length === 0) return undefined;
  const object: Record<string, Record<string, true>> = {};
  for (const [name, value] of filters) object[name] = { ...object[name], [value]: true };
  return JSON.stringify(object);
}

function older(a: string, b: string): string {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor < bMajor || (aMajor === bMajor && aMinor < bMinor) ? a : b;
}

/** Parses 'unix:///path' or 'tcp://host:port'. */
function parseHost(url: string, tls: TlsFiles | undefined): Address {
  const unix = /^unix:\/\/(.+)$/.exec(url)?.[1];
  if (unix !== undefined) return { path: unix };
  const tcp = /^(?:tcp|http|https):\/\/(\[[0-9a-fA-F:]+\]|[^/:[\]]+)?(?::(\d+))?\/?$/.exec(url);
  if (!tcp) {
    throw new CommandError(
      `unable to parse docker host ${JSON.stringify(url)}: it must be unix:///PATH or tcp://HOST:PORT`,
    );
  }
  const secure = tls ?? (url.startsWith('https:') ? { verify: true } : undefined);
  return {
    host: (tcp[1] ?? '127.0.0.1').replace(/[[\]]/g, ''),
    port: Number(tcp[2] ?? (secure ? 2376 : 2375)),
    ...(secure ? { tls: secure } : {}),
  };
}
