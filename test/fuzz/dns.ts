// Questions to the name server, from a program in a container: any bytes. And what it answers is an answer.
import { type Answer, decode, encode } from 'dns-packet';
import { answer, failure, type NameBook } from '../../mini-docker/network/dns/answer.ts';
import { cases, type Fuzzer } from './fuzzer.ts';
import { damaged, type Random } from './random.ts';

const book: NameBook = {
  addressesOf: name =>
    name.startsWith('w') ? { ipv4: ['10.0.0.2', '10.0.0.3'], ipv6: ['fd00::2'] } : undefined,
  nameOf: address => (address === '10.0.0.2' ? 'web' : undefined),
};

function question(random: Random): Buffer {
  if (random.chance(0.1)) return random.bytes(random.integer(600));
  const name = random.pick(['web', 'WEB.', 'w'.repeat(63), 'x', '', '2.0.0.10.in-addr.arpa', 'a.b.c']);
  const type = random.pick(['A', 'AAAA', 'PTR', 'TXT', 'MX', 'SRV'] as const);
  const size: Answer = { type: 'OPT', name: '.', udpPayloadSize: random.integer(65_536) } as Answer;
  const packet = encode({
    type: 'query',
    id: random.integer(65_536),
    flags: random.integer(65_536) & 0x7fff,
    questions: Array.from({ length: random.pick([1, 1, 1, 0, 2]) }, () => ({ type, name })),
    ...(random.chance(0.3) ? { additionals: [size] as never } : {}),
  });
  return random.chance(0.4) ? packet : damaged(packet, random);
}

function readable(packet: Buffer, what: string): void {
  try {
    decode(packet);
  } catch (error) {
    throw new Error(`${what} cannot be read: ${packet.toString('hex')}`, { cause: error });
  }
}

export const fuzzDns: Fuzzer = options =>
  cases(options, async (random, finding) => {
    const query = question(random);
    const verdict = answer(query, book, random.pick(['udp', 'tcp']));
    const shown = query.toString('hex');
    if (Buffer.isBuffer(verdict)) {
      if (verdict.length > 65_535) finding(`an answer of ${verdict.length} bytes to ${shown}`);
      if (verdict.readUInt16BE(0) !== query.readUInt16BE(0)) finding(`another id in the answer to ${shown}`);
      readable(verdict, `the answer to ${shown}`);
    } else if (verdict === 'forward') readable(failure(query, 2), `the failure of ${shown}`);
  });
