// Requests to one repository of a registry, with a token where the registry wants one.
// https://github.com/opencontainers/distribution-spec: spec.md; distribution.github.io: spec/auth/token
import { Mistake } from '../04-mounts/mistake.ts';
import { baseOf, type Reference } from './reference.ts';

export interface Repository extends Reference {
  /** What the token shall allow: 'repository:tools/busybox:pull'. */
  scopes: string[];
  token?: string;
}

/**
 * @param path below /v2/NAME/, or a URL that the registry gave
 * @param options.expect statuses that are no mistakes although they are not 2xx
 * @throws Mistake that says what the registry said
 */
export async function ask(
  repository: Repository,
  path: string,
  { expect = [], ...request }: RequestInit & { expect?: number[] } = {},
): Promise<Response> {
  const own = new URL(`/v2/${repository.repository}/`, baseOf(repository.host));
  const url = new URL(path, own);
  const send = (): Promise<Response> => {
    const headers = new Headers(request.headers);
    // The token is for the registry, not for a store of blobs that it may send us to.
    if (repository.token !== undefined && url.host === own.host)
      headers.set('Authorization', `Bearer ${repository.token}`);
    return reach(url, { ...request, headers });
  };
  let response = await send();
  if (response.status === 401) {
    repository.token = await fetchToken(response.headers.get('www-authenticate') ?? '', repository);
    response = await send();
  }
  if (response.ok || expect.includes(response.status)) return response;
  throw new Mistake(`${request.method ?? 'GET'} ${url}: ${response.status} ${await refusal(response)}`);
}

/** WWW-Authenticate: Bearer realm="http://…/token",service="…" says where there are tokens. */
async function fetchToken(challenge: string, { host, scopes }: Repository): Promise<string> {
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const realm = parameters.get('realm') ?? '';
  if (!/^bearer /i.test(challenge) || !URL.canParse(realm)) {
    throw new Mistake(`${host} answers 401 and offers no tokens: ${challenge || 'no WWW-Authenticate'}`);
  }
  const url = new URL(realm);
  url.searchParams.set('service', parameters.get('service') ?? host);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const response = await reach(url);
  if (!response.ok) throw new Mistake(`${url.host} gives no token: ${response.status}`);
  const { token, access_token } = JSON.parse((await textOf(response)).toString()) as Record<string, string>;
  return token ?? access_token ?? '';
}

const REASONS: readonly [RegExp, string][] = [
  [/wrong version number|packet length too long/, 'it does not speak TLS'],
  [/ECONNREFUSED/, 'nothing listens there'],
  [/ENOTFOUND|EAI_AGAIN/, 'there is no such host'],
];

/** fetch() with an error that says why. */
async function reach(url: URL, request: RequestInit = {}): Promise<Response> {
  const headers = new Headers(request.headers);
  // A connection of its own: an idle one may be closed at the moment in which the next request begins.
  headers.set('Connection', 'close');
  try {
    return await fetch(url, { ...request, headers });
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    const reason = REASONS.find(([pattern]) => pattern.test(`${cause?.code} ${cause?.message}`))?.[1];
    throw new Mistake(`cannot reach ${url.origin}: ${reason ?? cause?.message ?? error}`);
  }
}

const MOST = 4 << 20;

/** A whole body in memory. @throws Mistake if it has more than 4 MiB: a manifest has a few KiB */
export async function textOf(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MOST) throw new Mistake(`${response.url} sends more than ${MOST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The registry's reason: {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "…"}]} */
async function refusal(response: Response): Promise<string> {
  const text = (await textOf(response)).toString();
  try {
    const [{ code, message }] = JSON.parse(text).errors;
    return printable(`${code}: ${message}`);
  } catch {
    return printable(text.trim()) || response.statusText;
  }
}

/** What a registry says could otherwise move the cursor, and write over what stands on the screen. */
export function printable(text: string): string {
  return text.slice(0, 200).replace(/\p{Cc}+/gu, ' ');
}
