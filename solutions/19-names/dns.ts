// A name server for a few names, which asks another one for the rest.   Run: node dns.ts NAMES PORT OTHER
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { decode, encode, type Packet } from 'dns-packet';

const [file = '', port = '', other = ''] = process.argv.slice(2);
/** In small letters. */
const names = new Map<string, string[]>(Object.entries(JSON.parse(readFileSync(file, 'utf8'))));

/** Asks the other server. @returns undefined if it does not answer in time */
async function ask(query: Buffer): Promise<Buffer | undefined> {
  const asking = createSocket('udp4');
  try {
    asking.send(query, Number(other), '127.0.0.1');
    const [answer] = await once(asking, 'message', { signal: AbortSignal.timeout(2000) });
    return answer;
  } catch {
    return undefined;
  } finally {
    asking.close();
  }
}

let turn = 0;

/** @returns undefined if the name is not one of ours */
function ownAnswer(query: Buffer): Buffer | undefined {
  const { id = 0, questions = [] } = decode(query) as Packet;
  const { name = '', type = 'A' } = questions[0] ?? {};
  const addresses = names.get(name.toLowerCase());
  if (addresses === undefined) return undefined;
  const first = turn++ % addresses.length;
  const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)];
  const data = type === 'A' ? inTurn : [];
  const answers = data.map(address => ({ type: 'A' as const, name, ttl: 5, data: address }));
  return encode({ type: 'response', id, questions, answers });
}

const server = createSocket('udp4').bind(Number(port), '127.0.0.1');
server.on('message', async (query, from) => {
  try {
    const answer = ownAnswer(query) ?? (await ask(query));
    if (answer !== undefined) server.send(answer, from.port, from.address);
  } catch {
    // It was no question: there is no answer.
  }
});
