// The name server of one container: it listens at 127.0.0.11:53 in the container's network namespace, and
// runs in the daemon.

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { internal } from '../../formats/errors.ts';
import { call } from '../../linux/call.ts';
import { AF, SOCK } from '../../linux/constants.ts';
import { moveUp } from '../../linux/descriptor-room.ts';
import { NETLINK } from '../../linux/netlink/constants.ts';
import { encodeIp } from '../../linux/netlink/ip-address.ts';
import { NetlinkError } from '../../linux/netlink/netlink-error.ts';
import {
  addNatOutputChain,
  addRedirection,
  addTable,
  deleteTable,
  transaction,
} from '../../linux/netlink/nftables.ts';
import { type NetlinkSocket, openNetlink, type Request } from '../../linux/netlink/socket.ts';
import { inNetworkNamespace } from '../../linux/network-namespace.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { bind, close, socket } from '../../linux/syscalls.ts';
import { createAllowances } from './allowance.ts';
import { answer, failure, type NameBook, RCODE } from './answer.ts';
import { askUpstream, framed } from './upstream.ts';

export const NAME_SERVER_ADDRESS = '127.0.0.11';

export interface NameServerOptions {
  /** A descriptor of the container's network namespace, needed until this resolves. Its lo must be up. */
  namespace: number;
  book: NameBook;
  /** Servers for names that are not local; undefined if no query may leave (internal networks). */
  upstream(): readonly string[] | undefined;
}

export interface NameServer {
  close(): Promise<void>;
}

/**
 * Maximum of pending queries to other servers. More are refused, since a container must not use up the
 * daemon's sockets.
 */
const WAITING = 128;
const CONNECTIONS = 64;
const CONNECTION_IDLE_MS = 10_000;

const newAllowance = createAllowances();

export async function openNameServer(options: NameServerOptions): Promise<NameServer> {
  const sockets = await listenBehindPort53(options);
  const allowance = newAllowance();
  let waiting = 0;
  let open = true;

  const respond = async (query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> => {
    const verdict = answer(query, options.book, transport);
    if (verdict === 'ignore') return undefined;
    if (verdict !== 'forward') return verdict;
    const servers = options.upstream();
    if (!servers) return failure(query, RCODE.NXDOMAIN);
    if (waiting >= WAITING) return failure(query, RCODE.SERVFAIL);
    waiting++;
    try {
      return (await askUpstream(query, servers, transport)) ?? failure(query, RCODE.SERVFAIL);
    } finally {
      waiting--;
    }
  };

  sockets.udp.on('message', async (query, from) => {
    // Dropped, as on an overloaded network: the client repeats the query.
    if (!allowance.take()) return;
    const response = await respond(query, 'udp');
    if (response && open) sockets.udp.send(response, from.port, from.address);
  });
  const connections = new Set<Socket>();
  sockets.tcp.maxConnections = CONNECTIONS;
  sockets.tcp.on('connection', connection => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    connection.on('error', () => connection.destroy());
    serveConnection(connection, async query => {
      await allowance.turn();
      return respond(query, 'tcp');
    }).catch(() => connection.destroy());
  });

  return {
    async close() {
      if (!open) return;
      open = false;
      for (const connection of connections) connection.destroy();
      await closeSockets(sockets);
    },
  };
}

/** Handles one query after the other; nothing is read while the client has not read the last answer. */
async function serveConnection(
  connection: Socket,
  respond: (query: Buffer) => Promise<Buffer | undefined>,
): Promise<void> {
  connection.setTimeout(CONNECTION_IDLE_MS, () => connection.destroy());
  let received = Buffer.alloc(0);
  for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const response = await respond(received.subarray(2, end));
      received = received.subarray(end);
      if (response === undefined) continue;
      await new Promise((taken, failed) => {
        connection.write(framed(response), error => (error ? failed(error) : taken(undefined)));
      });
    }
  }
}

interface Sockets {
  udp: DatagramSocket;
  tcp: Server;
}

/**
 * A program in the container may need port 53 itself. Therefore the sockets get other ports, and a NAT rule
 * in the container's namespace redirects to them, as in docker. In a kernel without nf_tables they use port
 * 53.
 */
async function listenBehindPort53({ namespace }: NameServerOptions): Promise<Sockets> {
  const sockets = await openSockets(namespace, 0);
  try {
    using netfilter = inNetworkNamespace(namespace, () => openNetlink(NETLINK.NETFILTER));
    redirect(netfilter, sockets);
    return sockets;
  } catch (error) {
    await closeSockets(sockets);
    if (!(error instanceof NetlinkError || error instanceof SyscallError)) throw error;
    return openSockets(namespace, 53);
  }
}

/** <netinet/in.h> */
const IPPROTO = { TCP: 6, UDP: 17 } as const;

const TABLE = 'mini-docker-dns';

function redirect(netfilter: NetlinkSocket, sockets: Sockets): void {
  const rules = redirection(sockets);
  try {
    netfilter.batch(transaction(rules));
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'EEXIST')) throw error;
    // A killed daemon left a table with ports that have no listener.
    netfilter.batch(transaction([deleteTable(TABLE), ...rules]));
  }
}

function redirection({ udp, tcp }: Sockets): Request[] {
  const address = encodeIp(NAME_SERVER_ADDRESS);
  const { port: tcpPort } = tcp.address() as AddressInfo;
  const to = (protocol: number, toPort: number): Request =>
    addRedirection(TABLE, 'output', { protocol, address, port: 53, toPort });
  return [
    addTable(TABLE),
    addNatOutputChain(TABLE, 'output'),
    to(IPPROTO.UDP, udp.address().port),
    to(IPPROTO.TCP, tcpPort),
  ];
}

async function openSockets(namespace: number, port: number): Promise<Sockets> {
  const fds = inNetworkNamespace(namespace, () => {
    const udp = boundSocket(SOCK.DGRAM, port);
    try {
      return { udp, tcp: boundSocket(SOCK.STREAM, port) };
    } catch (error) {
      call(close(udp));
      throw error;
    }
  });
  const udp = createSocket('udp4');
  const tcp = createServer();
  await Promise.all([
    new Promise<void>((resolve, reject) => {
      udp.once('error', reject).bind({ fd: fds.udp, exclusive: true }, resolve);
    }),
    new Promise<void>((resolve, reject) => {
      tcp.once('error', reject).listen({ fd: fds.tcp, exclusive: true }, resolve);
    }),
  ]);
  // ICMP errors for answers whose client has gone.
  udp.on('error', () => {});
  tcp.on('error', () => {});
  return { udp, tcp };
}

function boundSocket(type: number, port: number): number {
  const fd = moveUp(call(socket(AF.INET, type | SOCK.CLOEXEC | SOCK.NONBLOCK, 0)));
  try {
    call(bind(fd, socketAddress(NAME_SERVER_ADDRESS, port)));
    return fd;
  } catch (cause) {
    call(close(fd));
    throw internal(
      `the name server at ${NAME_SERVER_ADDRESS} cannot be started: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** struct sockaddr_in: u16 family, u16 port in network order, 4 bytes of address, 8 of padding. */
function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF.INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(encodeIp(address), 4);
  return bytes;
}

async function closeSockets({ udp, tcp }: Sockets): Promise<void> {
  await Promise.all([
    new Promise<void>(done => udp.close(done)),
    new Promise<void>(done => tcp.close(() => done())),
  ]);
}
