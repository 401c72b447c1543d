// A session with one registry: authentication, and retries when it is busy.
import { setTimeout as wait } from 'node:timers/promises';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import { object, parse, string } from '../../formats/schema.ts';
import { RegistryError, refusalOf } from './errors.ts';
import type { Endpoint } from './settings.ts';
import {
  type HttpRequest,
  type HttpResponse,
  maySendTo,
  notSafe,
  openTransport,
  textOf,
} from './transport.ts';
import { type Challenge, decodeChallenges } from './www-authenticate.ts';

export interface SessionRequest extends Omit<HttpRequest, 'url'> {
  /** '/v2/…', or a URL from the registry. */
  url: string;
  /** Scope of the token: 'repository:library/busybox:pull'. Several are separated by spaces. */
  scope?: string;
  /** Statuses that are not errors. */
  expect: readonly number[];
  /** The operation, for errors: 'push layer …'. */
  doing: string;
  /** Do not retry, since the caller has to start from an earlier step. */
  once?: boolean;
}

export interface Session {
  readonly endpoint: Endpoint;
  /** @throws RegistryError when it fails, AbortError when the signal fires */
  send(request: SessionRequest): Promise<HttpResponse>;
  /** Retries with waits while it fails with a transient RegistryError. */
  retrying<T>(attempt: () => Promise<T>): Promise<T>;
  /** Waits before a second attempt. */
  pause(): Promise<void>;
  readonly signal: AbortSignal | undefined;
  close(): void;
}

export interface SessionOptions {
  endpoint: Endpoint;
  auth?: RegistryAuth | undefined;
  signal?: AbortSignal | undefined;
  /** Most attempts of a request that fails. */
  attempts?: number | undefined;
  /** Milliseconds before the second attempt; each further wait is twice as long. */
  backoff?: number;
}

const ATTEMPTS = 5;
const BACKOFF_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const NETWORK = /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_|HPE_)/;
/** Errors that another attempt will not change. */
const HOPELESS = /^(?:ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EAI_AGAIN)$/;

export function openSession(options: SessionOptions): Session {
  const { endpoint, auth, signal, attempts = ATTEMPTS, backoff = BACKOFF_MS } = options;
  const transport = openTransport(endpoint);
  /** The Authorization header that worked, by scope. */
  const authorizations = new Map<string, string>();

  async function sendOnce(request: SessionRequest): Promise<HttpResponse> {
    const { scope = '', expect } = request;
    const url = whither(request.url);
    for (let isSecond = false; ; isSecond = true) {
      // A registry may name another host for an upload, which is authorised by its URL.
      const authorization = isOwn(url) ? authorizations.get(scope) : undefined;
      const headers = { ...request.headers, ...(authorization ? { Authorization: authorization } : {}) };
      const response = await sendPlainly({ ...request, url, headers });
      if (expect.includes(response.status)) return response;
      const body = await textOf(response.body).catch(() => '');
      if (response.status !== 401 || isSecond || !isOwn(url)) throw refusal(request, response, body);
      const challenges = decodeChallenges(String(response.headers['www-authenticate'] ?? ''));
      const next = await authorize(challenges, scope);
      if (next === undefined || next === authorization) throw refusal(request, response, body);
      authorizations.set(scope, next);
    }
  }

  async function sendPlainly(request: HttpRequest & { doing: string }): Promise<HttpResponse> {
    try {
      return await transport.send({ ...request, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof RegistryError ? error : unreachable(request, error);
    }
  }

  /** Checks the registry's URL for an upload or for tokens. */
  function whither(where: string): string {
    const base = `${endpoint.base}/`;
    const url = URL.canParse(where, base) ? new URL(where, base) : undefined;
    if (url === undefined || (!isOwn(url.href) && !maySendTo(endpoint, url))) throw notSafe(endpoint, where);
    return url.href;
  }

  /** Whether it is the registry itself, with the same protection. */
  function isOwn(url: string): boolean {
    const [base, { host, protocol }] = [new URL(endpoint.base), new URL(url)];
    return host === base.host && (protocol === 'https:' || protocol === base.protocol);
  }

  const retrying: Session['retrying'] = async attempt => {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof RegistryError) || !error.transient || count >= attempts) throw error;
        const own = backoff * 2 ** (count - 1) * (0.75 + Math.random() / 2);
        await wait(Math.min(error.retryAfter ?? own, LONGEST_WAIT_MS), undefined, { signal });
      }
    }
  };

  async function authorize(challenges: readonly Challenge[], scope: string): Promise<string | undefined> {
    if (auth?.registrytoken !== undefined) return `Bearer ${auth.registrytoken}`;
    const bearer = challenges.find(challenge => challenge.scheme === 'bearer');
    if (bearer?.parameters.realm !== undefined) return `Bearer ${await fetchToken(bearer, scope)}`;
    const isBasic = challenges.some(challenge => challenge.scheme === 'basic');
    return isBasic ? basic() : undefined;
  }

  const basic = (): string | undefined =>
    auth?.username === undefined
      ? undefined
      : `Basic ${Buffer.from(`${auth.username}:${auth.password ?? ''}`).toString('base64')}`;

  /**
   * Distribution specification, "Token Authentication", and, with an identity token, "OAuth2 Token
   * Authentication".
   */
  async function fetchToken({ parameters }: Challenge, scope: string): Promise<string> {
    const realm = new URL(whither(parameters.realm!));
    const { service } = parameters;
    const scopes = scope === '' ? [] : scope.split(' ');
    const doing = `log in to ${endpoint.domain}`;
    let response: HttpResponse;
    if (auth?.identitytoken !== undefined) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: auth.identitytoken,
        client_id: 'mini-docker',
        ...(service === undefined ? {} : { service }),
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = () => Buffer.from(form.toString());
      response = await sendPlainly({ method: 'POST', url: realm.href, headers, body, secret: true, doing });
    } else {
      if (service !== undefined) realm.searchParams.set('service', service);
      for (const each of scopes) realm.searchParams.append('scope', each);
      if (auth?.username !== undefined) realm.searchParams.set('account', auth.username);
      const authorization = basic();
      const headers: Record<string, string> =
        authorization === undefined ? {} : { Authorization: authorization };
      response = await sendPlainly({ method: 'GET', url: realm.href, headers, doing });
    }
    const text = await textOf(response.body, 1 << 20);
    if (response.status !== 200) throw refusal({ doing }, response, text);
    const said = parse(text, 'token', object({ token: string, access_token: string }));
    const token = said.token ?? said.access_token;
    if (token === undefined) throw new RegistryError(`${realm.host} gave no token`);
    return token;
  }

  function unreachable({ doing }: { doing: string }, cause: unknown): RegistryError {
    // The address is that of a proxy, where there is one.
    const { code, message, address, port } = cause as NodeJS.ErrnoException & {
      address?: string;
      port?: number;
    };
    const host = new URL(endpoint.base).host;
    const known = code === undefined ? undefined : EXPLAINED[code];
    const by = code === 'ECONNREFUSED' && address !== undefined ? ` by ${address} port ${port}` : '';
    const why = endpoint.offline ?? (known === undefined ? message : known + by);
    const transient = NETWORK.test(String(code)) && !HOPELESS.test(String(code));
    return new RegistryError(`cannot ${doing}: ${host} cannot be reached: ${why}`, { transient, cause });
  }

  return {
    endpoint,
    send: request => (request.once ? sendOnce(request) : retrying(() => sendOnce(request))),
    retrying,
    pause: () => wait(backoff, undefined, { signal }),
    signal,
    close: () => transport.close(),
  };
}

const EXPLAINED: Record<string, string> = {
  ENOTFOUND: 'there is no such host, or no network',
  EAI_AGAIN: 'its name cannot be looked up: no network, or no name server',
  ECONNREFUSED: 'connection refused',
  ETIMEDOUT: 'it does not answer',
  EPROTO: 'it does not speak TLS (add it to insecure-registries if that is right)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS (add it to insecure-registries if that is right)',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS (add it to insecure-registries if that is right)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted (put its CA into /etc/docker/certs.d)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted (put its CA into /etc/docker/certs.d)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted (put its CA into /etc/docker/certs.d)',
};

function refusal(
  { doing }: { doing: string },
  { status, headers }: HttpResponse,
  body: string,
): RegistryError {
  const { code, message } = refusalOf(body);
  const said = message ?? MEANING[status] ?? `HTTP status ${status}`;
  // In seconds (RFC 9110, 10.2.3); registries do not use the other form, a date.
  const retryAfter = /^\d+$/.test(headers['retry-after'] ?? '')
    ? Number(headers['retry-after']) * 1000
    : undefined;
  return new RegistryError(`cannot ${doing}: ${said}`, {
    status,
    transient: status === 429 || status >= 500,
    ...(code === undefined ? {} : { code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

const MEANING: Record<number, string> = {
  401: 'unauthorized: log in first, or check user name and password',
  403: 'denied',
  404: 'not found',
  429: 'too many requests: the registry limits how often it may be asked',
};
