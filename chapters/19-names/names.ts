// What a name means in a network, and the answer to a question about it: bytes in, bytes out. RFC 1035
// The engine: mini-docker/network/dns/answer.ts and names.ts
import { decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';
import { allStates, isRunning } from '../12-stay/state.ts';

/** Seconds for which a client may keep an answer. Short, since boxes come and go. */
const TTL = 5;
/** The code for: there is no such name. */
const NXDOMAIN = 3;

/** The addresses of all boxes of a network that have this name or alias. Read from disk for each question. */
function addressesOf(name: string, network: string): string[] {
  return allStates()
    .filter(({ spec }) => spec.net === network && [spec.name, ...(spec.aliases ?? [])].includes(name))
    .filter(isRunning)
    .flatMap(({ held }) => held?.connection?.address ?? []);
}

/** @returns 'forward' if others may know the name; undefined if no answer is due. @throws Error if it is no DNS */
export function answerTo(query: Buffer, network: string): Buffer | 'forward' | undefined {
  const { id = 0, flags = 0, type: kind, questions: [question] = [] } = decode(query) as Packet;
  // To answer an answer could go on for ever.
  if (kind !== 'query' || question === undefined) return undefined;
  const { name, type } = question;
  const addresses = addressesOf(name.toLowerCase(), network);
  // A name without a dot is a box's, or it means nothing.
  if (addresses.length === 0 && name.includes('.')) return 'forward';
  const code = addresses.length === 0 ? NXDOMAIN : 0;
  // Boxes have no IPv6 addresses. For type AAAA the answer is empty: the name exists, and has none.
  const data = type === 'A' ? addresses : [];
  return encode({
    type: 'response',
    id,
    flags: (flags & RECURSION_DESIRED) | RECURSION_AVAILABLE | code,
    questions: [question],
    answers: inTurn(data).map(address => ({ type: 'A', name, ttl: TTL, data: address })),
  });
}

let turn = 0;

/** Clients take the first address: each time it is another. */
function inTurn<T>(list: readonly T[]): T[] {
  const first = list.length === 0 ? 0 : turn++ % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}
