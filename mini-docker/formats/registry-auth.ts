// Who a user is to a registry: the X-Registry-Auth header of the Docker Engine API (its "Authentication" section), and
// the `auths` of ~/.docker/config.json.
import { FormatError } from './errors.ts';
import { object, optional, parseObject, present, string } from './json-fields.ts';

export interface RegistryAuth {
  username?: string;
  password?: string;
  /** A refresh token in place of the password. */
  identitytoken?: string;
  /** A bearer token to use as it is. */
  registrytoken?: string;
  serveraddress?: string;
}

/** base64url of the JSON; undefined when it says nothing. Throws FormatError. */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '') return undefined;
  const text = Buffer.from(header, 'base64url').toString();
  if (text.trim() === '') return undefined;
  const auth = authOf(parseObject(text, 'X-Registry-Auth'), 'X-Registry-Auth');
  return Object.keys(auth).some(key => key !== 'serveraddress') ? auth : undefined;
}

export const encodeRegistryAuth = (auth: RegistryAuth): string =>
  Buffer.from(JSON.stringify(auth)).toString('base64url');

/** The body of POST /auth. Throws FormatError. */
export const decodeAuthBody = (body: unknown): RegistryAuth => authOf(object(body, 'body'), 'body');

function authOf(fields: Record<string, unknown>, where: string): RegistryAuth {
  const field = (key: string) => optional(fields, key, where, string) || undefined;
  return present<RegistryAuth>({
    ...decodePair(field('auth')),
    ...present<RegistryAuth>({ username: field('username'), password: field('password') }),
    identitytoken: field('identitytoken'),
    registrytoken: field('registrytoken'),
    serveraddress: field('serveraddress'),
  });
}

/** config.json's `auth`: base64 of 'user:password'. */
function decodePair(auth: string | undefined): { username?: string; password?: string } {
  if (auth === undefined) return {};
  const text = Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 1) throw new FormatError('auth must be base64 of user:password');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Under which key config.json keeps docker.io's. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** The key of a registry in config.json: 'docker.io' → 'https://index.docker.io/v1/', others as they are. */
export const authKey = (domain: string): string => (domain === 'docker.io' ? DOCKER_HUB_KEY : domain);
