// Makes one HTTP request: follows redirects, keeps credentials from other hosts, gives up on silent
// connections.

import { lookup } from 'node:dns';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import { quietly } from '../../formats/quietly.ts';
import { RegistryError } from './errors.ts';
import { type Endpoint, isLocal, isOwnAddress } from './settings.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** Called again for each attempt. */
  body?: () => Buffer | AsyncIterable<Uint8Array>;
  signal?: AbortSignal | undefined;
  /** Whether the body is for this host alone. */
  secret?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: IncomingMessage['headers'];
  /** The body, which must be read to the end or destroyed. */
  body: IncomingMessage;
  /** The final URL, after redirects. */
  url: string;
}

export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

const SILENCE_MS = 60_000;
const REDIRECTS = 5;

export function openTransport(endpoint: Endpoint): Transport {
  // HTTPS_PROXY and NO_PROXY are respected; requests to this machine never use a proxy.
  const proxies = isLocal(new URL(endpoint.base).host) ? {} : { proxyEnv: process.env };
  const plain = new PlainAgent({ keepAlive: true, lookup: lookupFor(endpoint), ...proxies });
  const tls = new TlsAgent({
    keepAlive: true,
    lookup: lookupFor(endpoint),
    rejectUnauthorized: !endpoint.unverified,
    ...certificatesFor(endpoint),
    ...proxies,
  });

  function sendOnce({ method, url, headers = {}, body, signal }: HttpRequest): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const isTls = new URL(url).protocol === 'https:';
    const options = { method, headers: { 'User-Agent': 'mini-docker', ...headers }, signal };
    const request = isTls
      ? tlsRequest(url, { ...options, agent: tls })
      : plainRequest(url, { ...options, agent: plain });
    request.on('response', resolve);
    request.on('error', reject);
    request.setTimeout(SILENCE_MS, () => {
      request.destroy(Object.assign(new Error('no answer for a minute'), { code: 'ETIMEDOUT' }));
    });
    const content = body?.();
    if (content === undefined || Buffer.isBuffer(content)) request.end(content);
    else pipeline(Readable.from(content), request).catch(reject);
    return promise;
  }

  return {
    async send(request) {
      let { url, headers = {} } = request;
      for (let hop = 0; ; hop++) {
        const response = await sendOnce({ ...request, url, headers });
        const status = response.statusCode ?? 0;
        const { location } = response.headers;
        const isRedirect = [301, 302, 303, 307, 308].includes(status) && location !== undefined;
        if (!isRedirect || hop === REDIRECTS)
          return { status, headers: response.headers, body: response, url };
        response.resume();
        const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
        const isElsewhere = next?.host !== new URL(url).host;
        if (next === undefined || !maySendTo(endpoint, next) || (request.secret && isElsewhere)) {
          throw notSafe(endpoint, location);
        }
        if (isElsewhere) {
          // A storage provider's signed URL must not get the token, and would refuse it.
          const { Authorization: _, ...others } = headers;
          headers = others;
        }
        url = next.href;
      }
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/**
 * Whether a registry may send the client there, by a redirect or otherwise: only to a protected connection,
 * and from a remote registry never to a service on this machine.
 */
export function maySendTo({ base, unverified }: Endpoint, { protocol, host }: URL): boolean {
  const isSecure = protocol === 'https:' || (protocol === 'http:' && unverified);
  return isSecure && (!isOwnAddress(host) || isOwnAddress(new URL(base).host));
}

export function notSafe(endpoint: Endpoint, where: string): RegistryError {
  return new RegistryError(
    `${endpoint.domain} sends us to ${JSON.stringify(where.slice(0, 200))}, which is not safe`,
  );
}

/** Another host's name may resolve to any address; the registry's own was chosen by the user. */
function lookupFor({ base }: Endpoint): LookupFunction {
  const { hostname } = new URL(base);
  return (name, options, done) => {
    lookup(name, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [{ address: found }] : (found ?? []);
      const isTrap = name !== hostname && addresses.some(({ address }) => isOwnAddress(address));
      if (isTrap && !isOwnAddress(hostname)) {
        done(new RegistryError(`${name} has an address of this machine, which is not safe`), found, family);
      } else done(error, found, family);
    });
  };
}

/**
 * HOST/*.crt are trusted for the registry, HOST/*.cert with its *.key identify the client: the layout of
 * /etc/docker/certs.d.
 */
function certificatesFor({ base, certificates }: Endpoint): {
  ca?: string[];
  cert?: Buffer[];
  key?: Buffer[];
} {
  const directory = join(certificates, new URL(base).host);
  const names = quietly(() => readdirSync(directory).sort());
  if (names === undefined) return {};
  const read = (end: string) =>
    names.filter(name => name.endsWith(end)).map(name => readFileSync(join(directory, name)));
  const ca = read('.crt').map(String);
  const [cert, key] = [read('.cert'), read('.key')];
  return {
    ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
    ...(cert.length > 0 ? { cert, key } : {}),
  };
}

/** The body as text, at most `limit` bytes of it. */
export async function textOf(body: AsyncIterable<Uint8Array>, limit = 1 << 16): Promise<string> {
  return (await bytesOf(body, limit)).subarray(0, limit).toString();
}

/** The body; a longer one is cut just beyond `limit` bytes. */
export async function bytesOf(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length > limit) break;
  }
  return Buffer.concat(parts);
}
