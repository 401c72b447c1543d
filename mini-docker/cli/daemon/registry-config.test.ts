import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decodeRegistryAuth } from '../../formats/registry-auth.ts';
import { allAuths, authHeader, configPath, findAuth, removeAuth, storeAuth } from './registry-config.ts';

let directory: string;
let environment: NodeJS.ProcessEnv;
const path = process.env.PATH;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-config-'));
  environment = { HOME: directory };
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true });
});

test('what login writes is found again, for this registry alone, and no other user can read it', async () => {
  await storeAuth('localhost:5000', { username: 'me', password: 'pass:word' }, environment);
  const file = configPath(environment);
  expect(file).toBe(join(directory, '.docker/config.json'));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    auths: { 'localhost:5000': { auth: Buffer.from('me:pass:word').toString('base64') } },
  });
  const header = await authHeader('localhost:5000', environment);
  expect(decodeRegistryAuth(header['X-Registry-Auth'])).toMatchObject({
    username: 'me',
    password: 'pass:word',
  });
  expect(await authHeader('docker.io', environment)).toEqual({});
  expect(await removeAuth('localhost:5000', environment)).toBe(true);
  expect(await removeAuth('localhost:5000', environment)).toBe(false);
  expect(await authHeader('localhost:5000', environment)).toEqual({});
});

test('other settings in the file stay as they are', async () => {
  environment = { DOCKER_CONFIG: directory };
  writeFileSync(join(directory, 'config.json'), '{"detachKeys":"ctrl-a","auths":{"a":{"auth":"eDp5"}}}');
  await storeAuth('b', { username: 'x', password: 'y' }, environment);
  expect(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'))).toEqual({
    detachKeys: 'ctrl-a',
    auths: { a: { auth: 'eDp5' }, b: { auth: 'eDp5' } },
  });
  expect(Object.keys(await allAuths(environment))).toEqual(['a', 'b']);
});

test('Docker Hub has its old address for a key', async () => {
  await storeAuth('https://index.docker.io/v1/', { username: 'me', password: 'x' }, environment);
  expect(await authHeader('docker.io', environment)).toHaveProperty('X-Registry-Auth');
});

test('a program keeps the passwords where config.json names one', async () => {
  environment = { DOCKER_CONFIG: directory };
  writeFileSync(join(directory, 'config.json'), '{"credHelpers":{"r:1":"test"}}');
  const kept = join(directory, 'kept');
  const program = join(directory, 'docker-credential-test');
  const script = `#!/bin/sh
case $1 in
  store) cat >${kept} ;;
  erase) rm ${kept} ;;
  list) test ! -e ${kept} || echo '{"r:1":"me"}' ;;
  get) cat ${kept} 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  process.env.PATH = `${directory}:${path}`;
  expect(await findAuth('r:1', environment)).toBeUndefined();
  await storeAuth('r:1', { username: 'me', password: 'secret' }, environment);
  expect(await findAuth('r:1', environment)).toMatchObject({ username: 'me', password: 'secret' });
  const config = (): object => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));
  expect(config()).toEqual({ credHelpers: { 'r:1': 'test' }, auths: { 'r:1': {} } });
  expect(await allAuths(environment)).toMatchObject({ 'r:1': { username: 'me', password: 'secret' } });
  writeFileSync(join(directory, 'config.json'), '{"credsStore":"test"}');
  expect(await allAuths(environment)).toMatchObject({ 'r:1': { username: 'me', password: 'secret' } });
  expect(await removeAuth('r:1', environment)).toBe(true);
  expect(await findAuth('r:1', environment)).toBeUndefined();
});

test('a broken file, and a program that is not there, are clear', async () => {
  environment = { DOCKER_CONFIG: directory };
  writeFileSync(join(directory, 'config.json'), '{');
  await expect(findAuth('x', environment)).rejects.toThrow(/config.json is not JSON/);
  writeFileSync(join(directory, 'config.json'), '{"credsStore":"missing"}');
  await expect(findAuth('x', environment)).rejects.toThrow(
    'config.json names docker-credential-missing, which cannot be run: no such file or directory',
  );
  // Commands that need no password continue, with a warning.
  const warned = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await authHeader('x', environment)).toEqual({});
  expect(await allAuths(environment)).toEqual({});
  expect(String(warned.mock.calls[0]![0])).toMatch(/^WARNING: config.json names docker-credential-missing/);
  warned.mockRestore();
});
