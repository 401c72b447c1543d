import { decode, encode, type Packet, type Question } from 'dns-packet';
import { expect, test } from 'vitest';
import { addressOfPointer, answer, failure, type NameBook, RCODE } from './answer.ts';

const book: NameBook = {
  addressesOf: name =>
    ({
      web: { ipv4: ['172.18.0.2'], ipv6: ['fd00::2'] },
      pool: { ipv4: ['172.18.0.3', '172.18.0.4', '172.18.0.5'], ipv6: [] },
      crowd: { ipv4: Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`), ipv6: [] },
    })[name],
  nameOf: address => (address === '172.18.0.2' ? 'web.shop' : undefined),
};

const query = (name: string, type: Question['type'] = 'A', more: Partial<Packet> = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: 1 << 8, questions: [{ name, type, class: 'IN' }], ...more });

const data = (name: string, type: Question['type'] = 'A'): unknown[] =>
  (decode(answer(query(name, type), book) as Buffer).answers ?? []).map(each => 'data' in each && each.data);

test('a name has its addresses, in any case and with a final dot', () => {
  expect(data('web')).toEqual(['172.18.0.2']);
  expect(data('WEB.')).toEqual(['172.18.0.2']);
  expect(data('web', 'AAAA')).toEqual(['fd00::2']);
});

test('the answer belongs to the question', () => {
  const packet = decode(answer(query('Web'), book) as Buffer);
  expect(packet).toMatchObject({ id: 7, type: 'response', questions: [{ name: 'Web', type: 'A' }] });
});

test('a name that is ours and has nothing of the type is answered with nothing, not passed on', () => {
  expect(data('pool', 'AAAA')).toEqual([]);
  expect(data('web', 'MX')).toEqual([]);
});

test('names and addresses of no container are left to other servers', () => {
  expect(answer(query('www.example.com'), book)).toBe('forward');
  expect(answer(query('9.0.18.172.in-addr.arpa', 'PTR'), book)).toBe('forward');
});

test('an address leads back to its name', () => {
  expect(data('2.0.18.172.in-addr.arpa', 'PTR')).toEqual(['web.shop']);
  expect(addressOfPointer(`${'2.'.padEnd(60, '0.')}d.f.ip6.arpa`)).toBe('fd00::2');
});

test('of several with one name another is first each time', () => {
  const firsts = new Set([data('pool')[0], data('pool')[0], data('pool')[0]]);
  expect(firsts.size).toBe(3);
});

test('what does not fit into a datagram is cut, and comes whole through TCP', () => {
  const cut = answer(query('crowd'), book) as Buffer;
  expect(cut.length).toBeLessThanOrEqual(512);
  expect(decode(cut).flag_tc).toBe(true);
  expect(decode(answer(query('crowd'), book, 'tcp') as Buffer).answers).toHaveLength(60);
  const edns = query('crowd', 'A', {
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 4096,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  expect(decode(answer(edns, book) as Buffer).answers).toHaveLength(60);
});

test('what is no question gets no answer, and a broken one is called so', () => {
  expect(answer(Buffer.from('hello'), book)).toBe('ignore');
  expect(answer(encode({ type: 'response', id: 7, questions: [] }), book)).toBe('ignore');
  const broken = answer(query('web').subarray(0, 15), book) as Buffer;
  expect(broken[3]! & 15).toBe(RCODE.FORMERR);
  const looped = Buffer.concat([query('web').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  expect((answer(looped, book) as Buffer)[3]! & 15).toBe(RCODE.FORMERR);
});

test('a failure repeats the question', () => {
  const packet = decode(failure(query('www.example.com'), RCODE.NXDOMAIN));
  expect(packet).toMatchObject({ id: 7, rcode: 'NXDOMAIN', questions: [{ name: 'www.example.com' }] });
});
