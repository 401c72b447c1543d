// A user's credentials for a registry: the X-Registry-Auth header of the Docker Engine API
// ("Authentication"), and the `auths` of ~/.docker/config.json.

import { FormatError } from './errors.ts';
import { type Infer, object, parse, type Schema, string, withZero } from './schema.ts';
import { splitAt } from './split.ts';

const fields = object({
  username: string,
  password: string,
  /** A refresh token in place of the password. */
  identitytoken: string,
  /** A bearer token to use as it is. */
  registrytoken: string,
  serveraddress: string,
  /** config.json's: base64 of 'user:password'. */
  auth: string,
});

export type RegistryAuth = Omit<Infer<typeof fields>, 'auth'>;

/** The body of POST /auth, and a value of config.json's `auths`. */
export const registryAuth = withZero<Schema<RegistryAuth>>((value, where) => {
  const { auth, ...given } = fields(value, where);
  const said = Object.entries({ ...(auth ? decodePair(auth) : {}), ...given });
  return Object.fromEntries(said.filter(([, each]) => each !== ''));
}, {});

/**
 * Decodes base64url of the JSON; undefined when it is empty.
 * @throws FormatError when the header is not valid
 */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '') return undefined;
  const text = Buffer.from(header, 'base64url').toString();
  if (text.trim() === '') return undefined;
  const auth = parse(text, 'X-Registry-Auth', registryAuth);
  return Object.keys(auth).some(key => key !== 'serveraddress') ? auth : undefined;
}

export const encodeRegistryAuth = (auth: RegistryAuth): string =>
  Buffer.from(JSON.stringify(auth)).toString('base64url');

function decodePair(auth: string): { username: string; password: string } {
  const [username, password] = splitAt(Buffer.from(auth, 'base64').toString(), ':');
  if (username === '' || password === undefined)
    throw new FormatError('auth must be base64 of user:password');
  return { username, password };
}

/** The key of docker.io in config.json. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** The key of a registry in config.json: 'docker.io' → 'https://index.docker.io/v1/', others as they are. */
export const authKey = (domain: string): string => (domain === 'docker.io' ? DOCKER_HUB_KEY : domain);
