import { expect, test } from 'vitest';
import { decodeResolvConf } from './resolv-conf.ts';

test('comments, tabs, empty lines and unknown words do not matter', () => {
  const text =
    '# made by hand\n\nnameserver\t192.0.2.53 # office\nsortlist 10.0.0.0\n;nameserver 192.0.2.54\ndomain x.example\nsearch  y.example\noptions edns0 trust-ad\nnameserver\n';
  expect(decodeResolvConf(text)).toEqual({
    nameservers: ['192.0.2.53'],
    search: ['y.example'],
    options: ['edns0', 'trust-ad'],
  });
});

test('an empty file is one without servers', () => {
  expect(decodeResolvConf('')).toEqual({ nameservers: [], search: [], options: [] });
});
