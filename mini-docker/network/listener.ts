// A published port's socket on the host. It keeps other programs from taking the port, and forwards data: all
// of it if nft is missing, else only what no NAT rule matches (a client on ::1 of a container with IPv4
// only).

import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from 'node:dgram';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { conflict, ExpectedError, forbidden } from '../formats/errors.ts';

/**
 * Opens a socket in the host's network for a daemon that has its own. One for TCP listens already.
 * @returns a descriptor, which the caller owns
 * @throws Error with the errno's name in `code`
 */
export type OpenHostSocket = (where: { protocol: 'tcp' | 'udp'; address: string; port: number }) => number;

export interface ListenerOptions {
  protocol: 'tcp' | 'udp';
  hostIp: string;
  /** The port, or 0 for any free one. */
  hostPort: number;
  containerIp: string;
  containerPort: number;
  /**
   * For UDP: the clients that the NAT rules do not serve; the port is held for the others. A datagram that is answered
   * from here before the rules exist would create a flow that bypasses them, for as long as the client keeps sending.
   * undefined: there are no rules.
   */
  forwards?: ((client: string) => boolean) | undefined;
  /** undefined: the daemon is in the host's network itself. */
  openHostSocket?: OpenHostSocket | undefined;
}

export interface Listener {
  hostPort: number;
  close(): Promise<void>;
}

/** @throws conflict when the port is in use; badParameter when the host does not have the address */
export async function listen(options: ListenerOptions): Promise<Listener> {
  try {
    return await (options.protocol === 'tcp' ? listenTcp(options) : listenUdp(options));
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, options);
  }
}

function explained(error: NodeJS.ErrnoException, options: ListenerOptions): Error {
  const { hostIp, hostPort, protocol } = options;
  const address = `${isIPv6(hostIp) ? `[${hostIp}]` : hostIp}:${hostPort}`;
  if (error.code === 'EADDRINUSE')
    return conflict(
      `Bind for ${address} failed: port is already allocated (${protocol}): another program or container of this host uses it`,
      { cause: error },
    );
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
    return new AddressMissingError(
      `Bind for ${address} failed: this host does not have the address ${hostIp}`,
      error,
    );
  if (error.code === 'EACCES')
    return forbidden(
      `Bind for ${address} failed: only root may use ports below net.ipv4.ip_unprivileged_port_start: choose a higher port, or let root lower that setting`,
      { cause: error },
    );
  return error;
}

/** The host has no such address; for '::' it means that it has no IPv6. */
export class AddressMissingError extends ExpectedError {
  override name = 'AddressMissingError';

  constructor(message: string, cause: Error) {
    super('badParameter', message, { cause });
  }
}

function listenTcp(options: ListenerOptions): Promise<Listener> {
  const { hostIp, hostPort, containerIp, containerPort } = options;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, client => {
    const upstream = connect({ host: containerIp, port: containerPort, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      // Both ends close when one breaks; pipe() passes on the end of one direction.
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        open.delete(socket);
        if (socket.errored) other.destroy();
      });
      socket.setNoDelay(true);
    }
    upstream.once('connect', () => {
      client.pipe(upstream);
      upstream.pipe(client);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const fd = options.openHostSocket?.({ protocol: 'tcp', address: hostIp, port: hostPort });
    const place = fd === undefined ? { host: hostIp, port: hostPort, ipv6Only: true } : { fd };
    server.listen({ ...place, exclusive: true }, () => {
      const address = server.address();
      resolve({
        hostPort: typeof address === 'object' && address ? address.port : hostPort,
        close: () =>
          new Promise(done => {
            server.close(() => done());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

/** Milliseconds, as in docker's proxy: a client that is silent for longer is forgotten. */
const UDP_IDLE_MS = 90_000;
/** Maximum of clients, one socket each; the one that was silent for the longest is dropped. */
const UDP_CLIENTS = 512;

interface Conversation {
  upstream: DatagramSocket;
  idle: NodeJS.Timeout;
}

function listenUdp(options: ListenerOptions): Promise<Listener> {
  const { hostIp, hostPort, containerIp, containerPort } = options;
  const socket = createSocket({ type: isIPv6(hostIp) ? 'udp6' : 'udp4', ipv6Only: isIPv6(hostIp) });
  const conversations = new Map<string, Conversation>();

  const forget = (key: string): void => {
    const conversation = conversations.get(key);
    if (!conversation) return;
    conversations.delete(key);
    clearTimeout(conversation.idle);
    conversation.upstream.close();
  };

  const begin = (key: string, client: RemoteInfo): Conversation => {
    const [oldest] = conversations.keys();
    if (conversations.size >= UDP_CLIENTS && oldest !== undefined) forget(oldest);
    const upstream = createSocket(isIPv6(containerIp) ? 'udp6' : 'udp4');
    upstream.on('message', data => socket.send(data, client.port, client.address));
    // ECONNREFUSED arrives as an error of this socket: the container does not listen (yet).
    upstream.on('error', () => forget(key));
    upstream.connect(containerPort, containerIp);
    const conversation = { upstream, idle: setTimeout(forget, UDP_IDLE_MS, key).unref() };
    conversations.set(key, conversation);
    return conversation;
  };

  socket.on('message', (data, client) => {
    if (options.forwards?.(client.address) === false) return;
    const key = `${client.address} ${client.port}`;
    const conversation = conversations.get(key) ?? begin(key, client);
    conversations.delete(key);
    conversations.set(key, conversation);
    conversation.idle.refresh();
    sendWhenConnected(conversation.upstream, data);
  });

  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    const fd = options.openHostSocket?.({ protocol: 'udp', address: hostIp, port: hostPort });
    const place = fd === undefined ? { address: hostIp, port: hostPort } : { fd };
    socket.bind({ ...place, exclusive: true }, () => {
      socket.off('error', reject).on('error', () => {});
      resolve({
        hostPort: socket.address().port,
        close: () =>
          new Promise(done => {
            for (const key of [...conversations.keys()]) forget(key);
            socket.close(() => done());
          }),
      });
    });
  });
}

function sendWhenConnected(upstream: DatagramSocket, data: Uint8Array): void {
  const send = (): void => upstream.send(data);
  try {
    upstream.remoteAddress();
    send();
  } catch {
    upstream.once('connect', send);
  }
}
