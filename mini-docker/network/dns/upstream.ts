// Forwards a container's query to the host's name servers, with its bytes unchanged, and returns the answer.
// Each query has its own socket, since a forger would have to guess its random port.
import { createSocket } from 'node:dgram';
import { readFileSync, statSync } from 'node:fs';
import { connect, isIP, isIPv6 } from 'node:net';
import { readQuietly } from '../../linux/proc/file.ts';
import { decodeResolvConf } from './resolv-conf.ts';

/** Milliseconds for each server, one after the other, as in docker. */
const SERVER_MS = 4000;
const SERVERS = 3;

/** undefined: no server answered. */
export async function askUpstream(
  query: Uint8Array,
  servers: readonly string[],
  transport: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  const ask = transport === 'udp' ? askUdp : askTcp;
  for (const server of servers.slice(0, SERVERS)) {
    const answer = await ask(query, server);
    if (answer) return answer;
  }
  return undefined;
}

function askUdp(query: Uint8Array, server: string): Promise<Buffer | undefined> {
  const { host, port } = splitServer(server);
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  return new Promise(resolve => {
    const finish = (answer?: Buffer): void => {
      clearTimeout(timer);
      socket
        .removeAllListeners()
        .on('error', () => {})
        .close();
      resolve(answer);
    };
    const timer = setTimeout(finish, SERVER_MS);
    socket.on('error', () => finish());
    // A connected socket accepts datagrams only from its peer; the id is the second check.
    socket.on('message', answer => {
      if (answer.length >= 12 && answer[0] === query[0] && answer[1] === query[1]) finish(answer);
    });
    socket.connect(port, host, (error?: Error) => {
      if (error) finish();
      else socket.send(query);
    });
  });
}

function askTcp(query: Uint8Array, server: string): Promise<Buffer | undefined> {
  const socket = connect({ ...splitServer(server), timeout: SERVER_MS });
  return new Promise(resolve => {
    const finish = (answer?: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
        finish(received.subarray(2, 2 + received.readUInt16BE(0)));
    });
    for (const event of ['error', 'timeout', 'close'] as const) socket.on(event, () => finish());
    socket.write(framed(query));
  });
}

/** On TCP the length precedes a message (RFC 1035 4.2.2). */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** '192.0.2.53' or, for tests and unusual hosts, '192.0.2.53#5353'. */
function splitServer(server: string): { host: string; port: number } {
  const [host = '', port = '53'] = server.split('#');
  return { host, port: Number(port) };
}

const RESOLV_CONF = '/etc/resolv.conf';
/** The file in which systemd-resolved lists the servers behind its own 127.0.0.53. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';

let cached: { stamp: string; servers: string[] } = { stamp: '', servers: [] };

/** The host's present name servers; the file is read again after a change. [] when there are none. */
export function hostNameServers(path = RESOLV_CONF): string[] {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    const stamp = `${path} ${mtimeMs} ${ino} ${size}`;
    if (cached.stamp !== stamp) cached = { stamp, servers: readServers(path) };
    return cached.servers;
  } catch {
    return [];
  }
}

function readServers(path: string): string[] {
  return serversIn(readFileSync(path, 'utf8'));
}

function serversIn(resolvConf: string): string[] {
  return decodeResolvConf(resolvConf).nameservers.filter(each => isIP(each.replace(/%.*$/, '')) !== 0);
}

/**
 * The text of the resolv.conf for a container without 127.0.0.11: servers on the host's own loopback cannot be reached
 * from there. '' where there is none.
 */
export function resolvConfForContainers(): string {
  const usual = readQuietly(RESOLV_CONF) ?? '';
  const servers = serversIn(usual);
  const isBehindStub = servers.length > 0 && servers.every(each => each === '127.0.0.53');
  const real = isBehindStub ? (readQuietly(RESOLVED_CONF) ?? '') : '';
  return serversIn(real).length > 0 ? real : usual;
}
