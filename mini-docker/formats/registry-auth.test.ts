import { expect, test } from 'vitest';
import { decodeChallenges } from '../images/registry/www-authenticate.ts';
import { authKey, decodeRegistryAuth, encodeRegistryAuth, registryAuth } from './registry-auth.ts';

test('credentials come back as they were', () => {
  const auth = { username: 'ä', password: 'p:w', serveraddress: 'localhost:5000' };
  expect(decodeRegistryAuth(encodeRegistryAuth(auth))).toEqual(auth);
});

test.each([undefined, '', 'e30=', 'e30', Buffer.from('{"username":"","password":""}').toString('base64')])(
  '%j is nobody',
  header => expect(decodeRegistryAuth(header)).toBeUndefined(),
);

test("config.json's auth is a user and a password", () => {
  const auth = Buffer.from('me:se:cret').toString('base64');
  expect(registryAuth({ auth }, '')).toEqual({ username: 'me', password: 'se:cret' });
  expect(() => registryAuth({ auth: 'AAAA' }, '')).toThrow('base64 of user:password');
});

test('what is no JSON is refused', () => {
  expect(() => decodeRegistryAuth('!!!!')).not.toThrow();
  expect(() => decodeRegistryAuth(Buffer.from('hello').toString('base64'))).toThrow(
    'X-Registry-Auth is not JSON',
  );
});

test('docker.io has its own key', () => {
  expect([authKey('docker.io'), authKey('ghcr.io')]).toEqual(['https://index.docker.io/v1/', 'ghcr.io']);
});

test.each([
  [
    'Bearer realm="https://auth.test/token",service="r.test",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.test/token',
          service: 'r.test',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  ],
  [
    'Basic realm="a \\"b\\", c", Bearer realm=x , service="y"',
    [
      { scheme: 'basic', parameters: { realm: 'a "b", c' } },
      { scheme: 'bearer', parameters: { realm: 'x', service: 'y' } },
    ],
  ],
  ['BASIC', [{ scheme: 'basic', parameters: {} }]],
  ['', []],
  ['=,="', []],
])('the challenge %j is understood', (header, challenges) => {
  expect(decodeChallenges(header)).toEqual(challenges);
});
