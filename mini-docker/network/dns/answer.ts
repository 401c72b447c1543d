// Answers DNS queries from local names (RFC 1035). Pure: the query's bytes in, the answer's bytes out.

import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import { quietly } from '../../formats/quietly.ts';
import { decodeIp } from '../../linux/netlink/ip-address.ts';

/** The names that one container can see. */
export interface NameBook {
  /** Addresses of all containers with this name (lower case, no final dot); undefined when there are none. */
  addressesOf(name: string): { ipv4: string[]; ipv6: string[] } | undefined;
  nameOf(address: string): string | undefined;
}

/**
 * 'forward': the name is unknown here. 'ignore': it is not a query, and an answer might circulate for ever.
 */
export type Verdict = Buffer | 'forward' | 'ignore';

export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3 } as const;

/** Seconds. Short, since containers come and go. */
const TTL = 5;
const RECURSION_DESIRED = 1 << 8;
const RECURSION_AVAILABLE = 1 << 7;
const TRUNCATED = 1 << 9;
const HEADER_BYTES = 12;
const LONGEST_LABEL = 63;

export function answer(query: Uint8Array, book: NameBook, transport: 'udp' | 'tcp' = 'udp'): Verdict {
  // Bit 15 of the flags marks a response.
  if (query.length < HEADER_BYTES || query[2]! & 0x80) return 'ignore';
  const packet = quietly(() => decode(Buffer.from(query)));
  if (packet === undefined) return failure(query, RCODE.FORMERR);
  const [question, ...more] = packet.questions ?? [];
  if (!question || more.length > 0) return failure(query, RCODE.FORMERR);
  const answers = ownAnswers(question, book);
  if (!answers) return 'forward';
  const response = encode({ ...head(packet), questions: [question], answers });
  if (transport === 'tcp' || response.length <= largest(packet)) return response;
  // The client repeats the query over TCP.
  return encode({ ...head(packet, TRUNCATED), questions: [question] });
}

/** An answer with an error code only. */
export function failure(query: Uint8Array, rcode: number): Buffer {
  const bytes = Buffer.from(query.subarray(0, HEADER_BYTES));
  const flags = 0x8000 | (bytes.readUInt16BE(2) & (RECURSION_DESIRED | 0x7800)) | RECURSION_AVAILABLE | rcode;
  bytes.writeUInt16BE(flags, 2);
  const question = rcode !== RCODE.FORMERR && bytes.readUInt16BE(4) === 1 ? questionBytes(query) : undefined;
  for (let at = question === undefined ? 4 : 6; at < HEADER_BYTES; at += 2) bytes.writeUInt16BE(0, at);
  return question === undefined ? bytes : Buffer.concat([bytes, question]);
}

/** undefined when the name is compressed (RFC 1035, 4.1.4) or not terminated. */
function questionBytes(query: Uint8Array): Uint8Array | undefined {
  let at = HEADER_BYTES;
  for (; query[at] !== 0; at += query[at]! + 1) {
    if (at >= query.length || query[at]! > LONGEST_LABEL) return undefined;
  }
  return at + 5 <= query.length ? query.subarray(HEADER_BYTES, at + 5) : undefined;
}

function head(packet: Packet, flags = 0): Packet {
  const kept = (packet.flags ?? 0) & RECURSION_DESIRED;
  return { type: 'response', id: packet.id ?? 0, flags: kept | RECURSION_AVAILABLE | flags };
}

/** Bytes: 512, or the size that the client announces (EDNS, RFC 6891). */
function largest(packet: Packet): number {
  const edns = packet.additionals?.find(each => each.type === 'OPT');
  return edns?.type === 'OPT' ? Math.max(512, edns.udpPayloadSize) : 512;
}

/** undefined for a foreign name; [] for a local name without records of this type. */
function ownAnswers(question: Question, book: NameBook): Answer[] | undefined {
  const { name, type } = question;
  // A name that is not text cannot be a local one, and would be changed in the answer.
  if (name.includes('\uFFFD')) return undefined;
  const plain = name.toLowerCase().replace(/\.$/, '');
  if (type === 'PTR') {
    const address = addressOfPointer(plain);
    const owner = address && book.nameOf(address);
    return owner ? [{ type: 'PTR', name, ttl: TTL, data: owner }] : undefined;
  }
  const addresses = book.addressesOf(plain);
  if (!addresses) return undefined;
  const record =
    (kind: 'A' | 'AAAA') =>
    (data: string): Answer => ({ type: kind, name, ttl: TTL, data });
  if (type === 'A') return rotated(addresses.ipv4).map(record('A'));
  if (type === 'AAAA') return rotated(addresses.ipv6).map(record('AAAA'));
  return [];
}

let turn = 0;

/** Rotated by one at each call, since clients take the first address. */
function rotated<T>(list: readonly T[]): T[] {
  if (list.length < 2) return [...list];
  const start = turn++ % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** '2.0.17.172.in-addr.arpa' → '172.17.0.2'; for IPv6, 32 nibbles below ip6.arpa. */
export function addressOfPointer(name: string): string | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (v4) return v4.slice(1).reverse().join('.');
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  return v6 ? decodeIp(Buffer.from(v6[1]!.split('.').reverse().join(''), 'hex')) : undefined;
}
