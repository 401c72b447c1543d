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

// TODO: decode() gives you the id and the questions, and encode({ type: 'response', … }) the bytes of an answer.
void [names, decode, encode, {} as Packet];
const server = createSocket('udp4').bind(Number(port), '127.0.0.1');
server.on('message', async (query, from) => {
  // TODO: which names are ours? And what if the packet is no question at all?
  const answer = await ask(query);
  if (answer !== undefined) server.send(answer, from.port, from.address);
});
