// The name server of one box. It listens in the box's network namespace, and runs outside, in the keeper.
// The engine: mini-docker/network/dns/server.ts and upstream.ts
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { AF, bind, call, inNetworkNamespace, openNetworkNamespace, SOCK, socket } from '#linux';
import { answerTo } from './names.ts';

const ADDRESS = [127, 0, 0, 11];
const PORT = 53;
/** Milliseconds that another name server has for its answer. */
const PATIENCE = 2000;
/** Questions that may wait for other servers. A box must not use up its keeper's descriptors. */
const MOST_WAITING = 64;

export async function serveNames(pid: number, network: string, ended: AbortSignal): Promise<void> {
  const server = createSocket('udp4');
  const listening = once(server, 'listening');
  server.bind({ fd: socketInside(pid) });
  await listening;
  // A client that has gone: its answer came back as an error.
  server.on('error', () => {});
  let waiting = 0;
  server.on('message', async (query, { port, address }) => {
    const answer = ownAnswer(query, network);
    if (answer !== 'forward') return answer && server.send(answer, port, address);
    if (waiting === MOST_WAITING) return;
    waiting++;
    const theirs = await ask(query);
    waiting--;
    if (theirs !== undefined && !ended.aborted) server.send(theirs, port, address);
  });
  ended.addEventListener('abort', () => server.close());
}

/** A socket belongs for ever to the namespace in which it was made. */
function socketInside(pid: number): number {
  const namespace = openNetworkNamespace({ pid });
  try {
    return inNetworkNamespace(namespace, () => {
      const fd = call(socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC | SOCK.NONBLOCK, 0));
      call(bind(fd, Buffer.from([AF.INET, 0, 0, PORT, ...ADDRESS, 0, 0, 0, 0, 0, 0, 0, 0])));
      return fd;
    });
  } finally {
    closeSync(namespace);
  }
}

/** A box may send anything. What is no DNS gets no answer, and does not end its keeper. */
function ownAnswer(query: Buffer, network: string): Buffer | 'forward' | undefined {
  try {
    return answerTo(query, network);
  } catch {
    return undefined;
  }
}

/** Asks the machine's own name servers, from the machine's namespace. */
async function ask(query: Buffer): Promise<Buffer | undefined> {
  const text = existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : '';
  for (const [, server = ''] of text.matchAll(/^nameserver\s+(\S+)/gm)) {
    const asking = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    try {
      // A connected socket receives from this server only: no other program can answer in its place.
      asking.connect(PORT, server);
      await once(asking, 'connect');
      asking.send(query);
      const [answer] = await once(asking, 'message', { signal: AbortSignal.timeout(PATIENCE) });
      return answer;
    } catch {
      // No answer, or no server there: the next one may know.
    } finally {
      asking.close();
    }
  }
  return undefined;
}
