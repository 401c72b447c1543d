// Plain HTTP over the engine's socket, for tests of the engine: one connection per request.

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  status: number;
  body: Buffer;
}

export interface EngineClient {
  /** Sends a request. Resolves with an answer of any status; rejects when there is none. */
  ask(method: string, path: string, body?: object): Promise<Answer>;
  /** Returns the answer's JSON; rejects with the daemon's message when the status is 400 or more. */
  json<T = Record<string, never>>(method: string, path: string, body?: object): Promise<T>;
  /** Creates and starts a container; returns its id. */
  run(cmd: string[], more?: { name?: string; [key: string]: unknown }): Promise<string>;
  create(cmd: string[], more?: { name?: string; [key: string]: unknown }): Promise<string>;
  /** Returns the answer as a stream, to be read at the caller's pace. */
  open(method: string, path: string, body?: object): Promise<IncomingMessage>;
  /** Opens a hijacked connection: attach, exec start. */
  hijack(path: string, body?: object): Promise<Socket>;
  logs(container: string, query?: string): Promise<string>;
  inspect(container: string): Promise<Inspected>;
  wait(container: string, condition?: string): Promise<number>;
}

export interface Inspected {
  Id: string;
  Name: string;
  RestartCount: number;
  LogPath: string;
  State: {
    Status: string;
    Pid: number;
    ExitCode: number;
    Error: string;
    OOMKilled: boolean;
    StartedAt: string;
    FinishedAt: string;
  };
  NetworkSettings: { IPAddress: string };
}

export function engineClient(daemon: { socket: string }): EngineClient {
  const send = (method: string, path: string, body?: object) => {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const asked = request({ socketPath: daemon.socket, method, path, agent: false, headers });
    asked.end(body && JSON.stringify(body));
    return asked;
  };

  const client: EngineClient = {
    open: (method, path, body) =>
      new Promise((resolve, reject) => send(method, path, body).on('response', resolve).on('error', reject)),

    async ask(method, path, body) {
      const reply = await client.open(method, path, body);
      return { status: reply.statusCode!, body: Buffer.concat(await reply.toArray()) };
    },

    async json(method, path, body) {
      const { status, body: bytes } = await client.ask(method, path, body);
      if (status >= 400) throw new Error(`${method} ${path}: ${status} ${bytes}`);
      return bytes.length === 0 ? {} : JSON.parse(bytes.toString());
    },

    async create(cmd, { name, ...more } = {}) {
      const query = name === undefined ? '' : `?name=${name}`;
      const host = { NetworkMode: 'none', ...(more.HostConfig as object | undefined) };
      const body = { Image: 'busybox', Cmd: cmd, ...more, HostConfig: host };
      return (await client.json<{ Id: string }>('POST', `/containers/create${query}`, body)).Id;
    },

    async run(cmd, more) {
      const id = await client.create(cmd, more);
      await client.json('POST', `/containers/${id}/start`);
      return id;
    },

    hijack: (path, body) =>
      new Promise((resolve, reject) => {
        const headers = { connection: 'Upgrade', upgrade: 'tcp', 'content-type': 'application/json' };
        const asked = request({ socketPath: daemon.socket, method: 'POST', path, agent: false, headers });
        asked.on('upgrade', (_reply, socket, head) => {
          // Bytes that arrived in the same packet as the answer's head.
          if (head.length > 0) socket.unshift(head);
          resolve(socket as Socket);
        });
        asked.on('response', async reply => {
          reject(new Error(`POST ${path}: ${reply.statusCode} ${Buffer.concat(await reply.toArray())}`));
        });
        asked.on('error', reject);
        asked.end(JSON.stringify(body ?? {}));
      }),

    async logs(container, query = 'stdout=1&stderr=1') {
      const { body } = await client.ask('GET', `/containers/${container}/logs?${query}`);
      return unframed(body);
    },

    inspect: container => client.json<Inspected>('GET', `/containers/${container}/json`),

    async wait(container, condition = 'not-running') {
      const path = `/containers/${container}/wait?condition=${condition}`;
      return (await client.json<{ StatusCode: number }>('POST', path)).StatusCode;
    },
  };
  return client;
}

/** Both streams of a multiplexed answer, in order of arrival. */
export function unframed(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    text += bytes.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}

/** Repeats a request until its answer is the wanted one, for at most `patience` milliseconds. */
export async function eventually<T>(
  look: () => Promise<T>,
  isWanted: (found: T) => boolean,
  patience = 20_000,
): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (isWanted(found)) return found;
    if (Date.now() > deadline) throw new Error(`not in ${patience} ms; last: ${JSON.stringify(found)}`);
    await sleep(20);
  }
}
