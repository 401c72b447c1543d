// The user's credentials for registries: ~/.docker/config.json, which docker's command shares
// (https://docs.docker.com/reference/cli/docker/login/), and the helper programs that it names.

import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../../formats/errors.ts';
import { authKey, encodeRegistryAuth, type RegistryAuth, registryAuth } from '../../formats/registry-auth.ts';
import { fieldsOf, object, parse, parseObject, string } from '../../formats/schema.ts';
import { makeDirectories } from '../../linux/make-directories.ts';
import { CommandError, fileReason } from '../errors.ts';
import { printError } from '../show/output.ts';

type Environment = NodeJS.ProcessEnv;

export const configPath = (environment: Environment): string =>
  join(environment.DOCKER_CONFIG || join(environment.HOME || homedir(), '.docker'), 'config.json');

/** Empty when there is no such file. @throws CommandError when it is not JSON */
function readConfig(environment: Environment): Record<string, unknown> {
  const path = configPath(environment);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new CommandError(`cannot read ${path}: ${fileReason(error)}`, { cause: error });
  }
  try {
    return content.trim() === '' ? {} : parseObject(content, path);
  } catch (cause) {
    throw new CommandError((cause as Error).message, { cause });
  }
}

/** Writes the whole file or nothing, readable by its owner only. */
function writeConfig(environment: Environment, config: Record<string, unknown>): void {
  const path = configPath(environment);
  try {
    makeDirectories(join(path, '..'), 0o700);
    const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o600;
    const temporary = `${path}.${process.pid}.part`;
    writeFileSync(temporary, `${JSON.stringify(config, null, '\t')}\n`, { mode });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (cause) {
    throw new CommandError(`cannot write ${path}: ${fileReason(cause)}`, { cause });
  }
}

/** The header with the credentials for a registry; none without credentials. */
export async function authHeader(domain: string, environment: Environment): Promise<Record<string, string>> {
  const auth = await findAuth(authKey(domain), environment).catch(withoutHelper);
  return auth === undefined ? {} : { 'X-Registry-Auth': encodeRegistryAuth(auth) };
}

/** All stored credentials by their keys: a build may need any of them. */
export async function allAuths(environment: Environment): Promise<Record<string, RegistryAuth>> {
  const config = readConfig(environment);
  const { credsStore: store } = config;
  const listed =
    typeof store === 'string' && store !== '' ? await listKeys(store).catch(withoutHelper) : undefined;
  const keys = ['auths', 'credHelpers'].flatMap(name => Object.keys(section(config, name)));
  const found: Record<string, RegistryAuth> = {};
  for (const key of new Set([...keys, ...(listed ?? [])])) {
    const auth = await findAuth(key, environment).catch(withoutHelper);
    if (auth !== undefined) found[key] = auth;
  }
  return found;
}

/** A helper that fails: as in docker, what needs no password works without it. */
function withoutHelper(error: unknown): undefined {
  if (!(error instanceof HelperError)) throw error;
  printError(`WARNING: ${error.message}`);
}

/** The registries whose passwords a helper has. */
async function listKeys(helper: string): Promise<string[]> {
  const answer = await runHelper(helper, 'list', '');
  return Object.keys(parseObject(answer || '{}', `docker-credential-${helper}'s list`));
}

/** `key`: 'localhost:5000', 'https://index.docker.io/v1/'. */
export async function findAuth(key: string, environment: Environment): Promise<RegistryAuth | undefined> {
  const config = readConfig(environment);
  const helper = helperFor(config, key);
  if (helper !== undefined) {
    const auth = await askHelper(helper, key);
    if (auth !== undefined) return { ...auth, serveraddress: key };
  }
  const auths = section(config, 'auths');
  const entry = [key, `https://${key}`, `http://${key}`, `https://${key}/v1/`].find(each => auths[each]);
  if (entry === undefined) return undefined;
  try {
    const auth = registryAuth(auths[entry], 'auths');
    return Object.keys(auth).length === 0 ? undefined : { ...auth, serveraddress: key };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new CommandError(`${configPath(environment)}: ${entry}: ${cause.message}`, { cause });
  }
}

/** @returns where the password is stored */
export async function storeAuth(key: string, auth: RegistryAuth, environment: Environment): Promise<string> {
  const config = readConfig(environment);
  const helper = helperFor(config, key);
  const { username = '', password = '', identitytoken } = auth;
  if (helper !== undefined) {
    const secret =
      identitytoken === undefined
        ? { ServerURL: key, Username: username, Secret: password }
        : { ServerURL: key, Username: '<token>', Secret: identitytoken };
    await runHelper(helper, 'store', JSON.stringify(secret));
    // As docker does: the file tells of which registries there are passwords.
    writeConfig(environment, { ...config, auths: { ...section(config, 'auths'), [key]: {} } });
    return `docker-credential-${helper}`;
  }
  const entry =
    identitytoken === undefined
      ? { auth: Buffer.from(`${username}:${password}`).toString('base64') }
      : { auth: Buffer.from(`${username}:`).toString('base64'), identitytoken };
  writeConfig(environment, { ...config, auths: { ...section(config, 'auths'), [key]: entry } });
  return configPath(environment);
}

/** False when there was none. */
export async function removeAuth(key: string, environment: Environment): Promise<boolean> {
  const config = readConfig(environment);
  const helper = helperFor(config, key);
  const known = helper !== undefined && (await askHelper(helper, key)) !== undefined;
  if (helper !== undefined && known) await runHelper(helper, 'erase', key);
  const { [key]: entry, ...others } = section(config, 'auths');
  if (entry !== undefined) writeConfig(environment, { ...config, auths: others });
  return known || entry !== undefined;
}

function section(config: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = config[name];
  try {
    return value === undefined || value === null ? {} : fieldsOf(value, name);
  } catch (cause) {
    throw new CommandError(`config.json: ${(cause as Error).message}`, { cause });
  }
}

function helperFor(config: Record<string, unknown>, key: string): string | undefined {
  const name = section(config, 'credHelpers')[key] ?? config.credsStore;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/**
 * Speaks the protocol of https://github.com/docker/docker-credential-helpers. undefined when it has no
 * credentials.
 */
async function askHelper(helper: string, key: string): Promise<RegistryAuth | undefined> {
  let answer: string;
  try {
    answer = await runHelper(helper, 'get', key);
  } catch (error) {
    if (/credentials not found/i.test((error as Error).message)) return undefined;
    throw error;
  }
  const fields = object({}, { Username: string, Secret: string });
  const { Username: username, Secret: secret } = parse(
    answer,
    `docker-credential-${helper}'s answer`,
    fields,
  );
  return username === '<token>' ? { identitytoken: secret } : { username, password: secret };
}

/** A failure of a helper, other than that it has no credentials. */
class HelperError extends CommandError {}

async function runHelper(
  helper: string,
  action: 'get' | 'list' | 'store' | 'erase',
  input: string,
): Promise<string> {
  const name = `docker-credential-${helper}`;
  if (!/^[\w.-]+$/.test(helper)) throw new CommandError(`config.json: not a name of a program: ${name}`);
  // Few users have helpers, and every pull and build would load these modules (5 ms).
  const [{ spawn }, { text }] = await Promise.all([
    import('node:child_process'),
    import('node:stream/consumers'),
  ]);
  return new Promise((resolve, reject) => {
    const child = spawn(name, [action], { stdio: ['pipe', 'pipe', 'inherit'] });
    const output = text(child.stdout);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', cause =>
      reject(
        new HelperError(`config.json names ${name}, which cannot be run: ${fileReason(cause)}`, { cause }),
      ),
    );
    child.on('close', async code => {
      const said = (await output).trim();
      if (code === 0) resolve(said);
      else reject(new HelperError(`${name}: ${said || `it ended with ${code}`}`));
    });
  });
}
