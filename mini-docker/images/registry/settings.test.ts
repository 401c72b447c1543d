import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isInstalled, temporaryDirectory } from '../testing/archives.ts';
import { openSession } from './session.ts';
import { type Endpoint, endpointsOf, type RegistrySettings } from './settings.ts';

const bases = (domain: string, settings: RegistrySettings = {}, pull = true): string[] =>
  endpointsOf(domain, settings, pull).map(({ base, unverified }) =>
    unverified ? `${base} unverified` : base,
  );

test('docker.io is asked at its registry, with TLS and nothing less', () => {
  expect(bases('docker.io')).toEqual(['https://registry-1.docker.io']);
  expect(bases('ghcr.io')).toEqual(['https://ghcr.io']);
});

test('mirrors stand before docker.io, for pulls of docker.io alone', () => {
  const settings = { mirrors: ['https://mirror.test/', 'http://10.0.0.1:5000'] };
  expect(bases('docker.io', settings)).toEqual([
    'https://mirror.test',
    'http://10.0.0.1:5000',
    'https://registry-1.docker.io',
  ]);
  expect(bases('docker.io', settings, false)).toEqual(['https://registry-1.docker.io']);
  expect(bases('ghcr.io', settings)).toEqual(['https://ghcr.io']);
});

test('a mirror that is no URL is an error that names the setting', () => {
  expect(() => bases('docker.io', { mirrors: ['mirror.test'] })).toThrow('registry-mirrors: "mirror.test"');
});

test.each(['localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000'])(
  '%s is on this machine and may do without TLS',
  domain => expect(bases(domain)).toEqual([`https://${domain} unverified`, `http://${domain} unverified`]),
);

test.each([
  ['my.test:5000', 'my.test:5000', true],
  ['my.test:5000', 'my.test:5001', false],
  ['my.test', 'my.test:5001', true],
  ['10.0.0.0/8', '10.20.30.40:5000', true],
  ['10.0.0.0/8', '11.20.30.40:5000', false],
  ['fd00::/8', '[fd00::1]:5000', true],
])('with %s among the insecure registries, %s may do without TLS: %s', (each, domain, may) => {
  expect(bases(domain, { insecure: [each] })).toHaveLength(may ? 2 : 1);
});

test.skipIf(!isInstalled('openssl'))(
  'a certificate is believed when it stands in certs.d, and else not (needs openssl)',
  async () => {
    using box = temporaryDirectory();
    const [key, cert] = [join(box.path, 'key.pem'), join(box.path, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { stdio: 'ignore' },
    );
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
      response.end(),
    );
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const ask = async (changes: Partial<Endpoint> = {}): Promise<number> => {
      const endpoint = {
        base: `https://${host}`,
        domain: host,
        unverified: false,
        isMirror: false,
        certificates: box.path,
      };
      const session = openSession({ endpoint: { ...endpoint, ...changes } });
      try {
        return (await session.send({ method: 'GET', url: '/v2/', expect: [200], doing: 'ask' })).status;
      } finally {
        session.close();
      }
    };
    await expect(ask()).rejects.toThrow(
      `cannot ask: ${host} cannot be reached: its certificate is not trusted`,
    );
    expect(await ask({ unverified: true })).toBe(200);
    mkdirSync(join(box.path, host));
    copyFileSync(cert, join(box.path, host, 'ca.crt'));
    expect(await ask()).toBe(200);
    server.close();
  },
);
