import { expect, test } from 'vitest';
import { resolvConf } from './etc-files.ts';

const ofHost =
  '# comment\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch a.example b.example\noptions edns0\n';

test("the host's resolvers are taken over, but for those on its loopback", () => {
  expect(resolvConf({ NetworkMode: 'bridge' }, { ofHost })).toBe(
    'nameserver 192.0.2.1\nsearch a.example b.example\noptions edns0\n',
  );
});

test("with the host's network the file is the host's", () => {
  expect(resolvConf({ NetworkMode: 'host' }, { ofHost })).toBe(ofHost);
});

test('what the user says counts', () => {
  expect(
    resolvConf(
      { NetworkMode: 'bridge', Dns: ['192.0.2.9'], DnsSearch: ['.'], DnsOptions: ['ndots:2'] },
      { ofHost },
    ),
  ).toBe('nameserver 192.0.2.9\noptions ndots:2\n');
});

test('where containers have names, their own server is asked, and passes the rest on', () => {
  const given = { ofHost, hasNameServer: true };
  expect(resolvConf({ NetworkMode: 'front', Dns: ['192.0.2.9'] }, given)).toBe(
    'nameserver 127.0.0.11\nsearch a.example b.example\noptions edns0 ndots:0\n',
  );
  expect(resolvConf({ NetworkMode: 'front', DnsOptions: ['ndots:2'] }, given)).toContain('options ndots:2\n');
});

test("where the host has only resolvers of its own loopback, containers get Docker's public ones", () => {
  const servers = 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n';
  expect(resolvConf({ NetworkMode: 'bridge' }, { ofHost: 'nameserver 127.0.0.1\n' })).toBe(servers);
  expect(resolvConf({ NetworkMode: 'bridge' }, { ofHost: '' })).toBe(servers);
});
