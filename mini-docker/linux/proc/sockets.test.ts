import { expect, test } from 'vitest';
import { decodeSockets } from './sockets.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n';

test('sockets that listen are told from connections, with their addresses', () => {
  const tcp = [
    '   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1',
    '   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2',
    '   2: 020011AC:0050 010011AC:C350 01 00000000:00000000 00:00000000 00000000     0        0 3',
  ];
  expect(decodeSockets(head + tcp.join('\n'), 'tcp')).toEqual([
    { protocol: 'tcp', address: '127.0.0.1', port: 80, inode: 1 },
    { protocol: 'tcp', address: '0.0.0.0', port: 8080, inode: 2 },
  ]);
});

test.each([
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000001000000', '::1'],
  ['0000000000000000FFFF00000100007F', '127.0.0.1'],
  ['B80D0120000000000000000001000000', '2001:db8::1'],
])('IPv6 address %s is %s', (hex, address) => {
  const line = `   0: ${hex}:0035 00000000000000000000000000000000:0000 07 00000000:00000000`;
  expect(decodeSockets(line, 'udp')).toEqual([{ protocol: 'udp', address, port: 53, inode: 0 }]);
});

test('what is cut short or no such line is none', () => {
  expect(decodeSockets('   0: 0100007F:00\n\n   1: zz', 'tcp')).toEqual([]);
});
