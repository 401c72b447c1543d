import { expect, test } from 'vitest';
import { droppingRules } from './foreign-rules.ts';

const target = { address: '172.17.0.2', port: 80, protocol: 'tcp', bridges: ['mini-docker0'] };
const chain = (name: string, more: object = {}) => ({
  chain: { family: 'ip', table: 'filter', name, ...more },
});
const forward = (policy = 'accept') => chain('FORWARD', { hook: 'forward', policy });
let handle = 0;
const rule = (name: string, expr: object[], comment?: string) => ({
  rule: {
    family: 'ip',
    table: 'filter',
    chain: name,
    handle: ++handle,
    ...(comment ? { comment } : {}),
    expr,
  },
});
const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const daddr = { payload: { protocol: 'ip', field: 'daddr' } };
const dport = { payload: { protocol: 'tcp', field: 'dport' } };
const drops = (...listing: object[]) =>
  droppingRules(JSON.stringify({ nftables: listing }), 'inet mini-docker', target).length;

test.each<[string, number, object[]]>([
  ['a drop of everything', 1, [{ drop: null }]],
  ['a reject of its address', 1, [match(daddr, '172.17.0.2'), { reject: {} }]],
  ['another address', 0, [match(daddr, '172.17.0.3'), { drop: null }]],
  ['all but another address', 1, [match(daddr, '172.17.0.3', '!='), { drop: null }]],
  ['its network', 1, [match(daddr, { prefix: { addr: '172.17.0.0', len: 16 } }), { drop: null }]],
  ['another network', 0, [match(daddr, { prefix: { addr: '10.0.0.0', len: 8 } }), { drop: null }]],
  ['a set of ports with its own', 1, [match(dport, { set: [22, { range: [79, 81] }] }), { drop: null }]],
  ['other ports', 0, [match(dport, { range: [81, 90] }), { drop: null }]],
  ['another link', 0, [match({ meta: { key: 'oifname' } }, 'eth9'), { drop: null }]],
  ['its bridges', 1, [match({ meta: { key: 'oifname' } }, 'mini-*'), { drop: null }]],
  ['invalid packets', 0, [match({ ct: { key: 'state' } }, ['invalid']), { drop: null }]],
  [
    'what cannot be judged',
    1,
    [match({ payload: { protocol: 'ip', field: 'saddr' } }, '@bad'), { drop: null }],
  ],
])('%s: %i', (_, count, expr) => {
  expect(drops(forward(), rule('FORWARD', expr))).toBe(count);
});

test('a policy drops what no rule accepts', () => {
  expect(drops(forward('drop'))).toBe(1);
  expect(drops(forward('drop'), rule('FORWARD', [{ accept: null }]))).toBe(0);
  expect(
    drops(forward('drop'), rule('FORWARD', [match({ xt: {} }, 1), { accept: null }], 'mini-docker')),
  ).toBe(0);
});

test('jumps are followed, and circles end', () => {
  const jump = (to: string) => [{ jump: { target: to } }];
  expect(drops(forward(), chain('USER'), rule('FORWARD', jump('USER')), rule('USER', [{ drop: null }]))).toBe(
    1,
  );
  expect(drops(forward(), chain('A'), rule('FORWARD', jump('A')), rule('A', jump('A')))).toBe(0);
});

test('our own table and other families are not looked at', () => {
  const own = {
    chain: { family: 'inet', table: 'mini-docker', name: 'forward', hook: 'forward', policy: 'drop' },
  };
  const ip6 = { chain: { family: 'ip6', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } };
  expect(drops(own, ip6)).toBe(0);
});
