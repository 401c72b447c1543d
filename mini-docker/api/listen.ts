// Serves the API on unix sockets, and on request over TCP.

import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { chmodSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { type AddressInfo, connect, type ListenOptions, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { TlsOptions } from '../daemon/options.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { type ApiOptions, apiServer } from './server.ts';

export interface Listening {
  /** The address in the form of DOCKER_HOST, with the chosen port when 0 was requested. */
  host: string;
  /** Stops accepting connections and closes the existing ones, within `graceMs` milliseconds. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Connections that wait while the daemon is busy; the kernel's own limit is net.core.somaxconn. listen(2) */
const BACKLOG = 4096;
/** Root and the socket's group may talk to the daemon, which gives them as much as root. */
const SOCKET_MODE = 0o660;

/** Differences of an ordinary user's daemon, whose network is not the host's. */
export interface Rootless {
  /** Opens a socket in the host's network that listens. @returns its descriptor */
  openHostSocket(where: { protocol: 'tcp'; address: string; port: number }): number;
}

/**
 * @param options.host 'unix:///path', 'tcp://address:port', or 'fd://3' for a socket that is open already
 * @param options.tls the certificates for TCP
 * @throws Error when the address cannot be used; its message is one line
 */
export async function listen(
  options: ApiOptions & { host: string; tls?: TlsOptions; rootless?: Rootless | undefined },
): Promise<Listening> {
  const tls = options.host.startsWith('tcp:') ? options.tls : undefined;
  const server = apiServer(options, tls === undefined ? createServer : await secureServers(tls));
  // Includes upgraded connections, and clients that TLS refused: Node's server keeps track of neither.
  const connections = new Set<Socket>();
  server.on('connection', socket => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const host = await bind(server, options.host, options.rootless);
  return { host, close: ({ graceMs = 1000 } = {}) => close({ server, connections, graceMs }) };
}

/** @throws Error when a certificate cannot be used; its message is one line */
async function secureServers(tls: TlsOptions): Promise<(settings: ServerOptions) => Server> {
  // Loaded here, since few daemons use it and it takes megabytes.
  const https = await import('node:https');
  const secure = {
    cert: readPem('certificate', tls.cert),
    key: readPem('key', tls.key),
    ...(tls.clientCa === undefined
      ? {}
      : { ca: readPem('CA certificate', tls.clientCa), requestCert: true, rejectUnauthorized: true }),
  };
  return settings => {
    try {
      // A client that has finished sending still reads, as on a plain socket.
      return https.createServer({ ...settings, ...secure, ...{ allowHalfOpen: true } });
    } catch (cause) {
      throw new Error(`cannot use ${tls.cert} with ${tls.key}: ${(cause as Error).message}`, { cause });
    }
  };
}

function readPem(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`cannot read the TLS ${what}: ${(cause as Error).message}`, { cause });
  }
}

async function bind(server: Server, host: string, rootless: Rootless | undefined): Promise<string> {
  const unix = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (unix !== undefined) {
    // A user's group may be that of all students.
    await bindUnix(server, unix, rootless === undefined ? SOCKET_MODE : 0o600);
    return host;
  }
  const inherited = /^fd:\/\/(\d+)$/.exec(host)?.[1];
  if (inherited !== undefined) {
    server.listen({ fd: Number(inherited) });
    await listening(server, host);
    return host;
  }
  const [, address, port] = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/[\]]+):(\d{1,5})$/.exec(host) ?? [];
  if (address === undefined || Number(port) > 65_535) {
    throw new Error(`cannot listen on ${host}: must be unix:///path, tcp://address:port or fd://`);
  }
  const place = { host: address.replace(/^\[|\]$/g, ''), port: Number(port) };
  server.listen(await placeOf(place, rootless));
  await listening(server, host);
  return `tcp://${address}:${(server.address() as AddressInfo).port}`;
}

/** The argument of server.listen() for an address of the host's network. */
export async function placeOf(
  { host, port }: { host: string; port: number },
  rootless: Rootless | undefined,
): Promise<ListenOptions | { fd: number }> {
  if (rootless === undefined) return { host, port, backlog: BACKLOG };
  try {
    const { address } = await lookup(host);
    return { fd: rootless.openHostSocket({ protocol: 'tcp', address, port }) };
  } catch (cause) {
    throw new Error(`cannot listen on tcp://${host}:${port}: ${(cause as Error).message}`, { cause });
  }
}

async function bindUnix(server: Server, path: string, mode: number): Promise<void> {
  if (Buffer.byteLength(path) > 107) {
    throw new Error(`cannot listen on ${path}: the path of a unix socket has at most 107 bytes (unix(7))`);
  }
  makeDirectories(dirname(path));
  await removeStale(path);
  // bind(2) creates the file with a mode from the umask, so that no other user can connect before the chmod.
  const before = process.umask(0o777 & ~mode);
  try {
    server.listen({ path, backlog: BACKLOG });
  } finally {
    process.umask(before);
  }
  await listening(server, path);
  chmodSync(path, mode);
}

async function listening(server: Server, where: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`cannot listen on ${where}: ${(cause as Error).message}`, { cause });
  }
}

/** Removes the socket file of a killed daemon, at which nothing answers. */
async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`cannot listen on ${path}: there is a file that is not a socket`);
  if (await answers(path)) throw new Error(`cannot listen on ${path}: another daemon is listening there`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      // EAGAIN: its queue of connections is full, so there is a listener.
      else if (error.code === 'EAGAIN') resolve(true);
      else if (error.code === 'EACCES')
        reject(new Error(`cannot listen on ${path}: the socket there is another user's: remove it`));
      else reject(error);
    });
  });
}

async function close(options: { server: Server; connections: Set<Socket>; graceMs: number }): Promise<void> {
  const { server, connections, graceMs } = options;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const late = setTimeout(() => {
    for (const socket of connections) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(late);
}
