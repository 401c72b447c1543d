// HTTP to etcd's JSON gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/): which of its hosts is asked, TLS, and
// the token of a user.
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plain } from 'node:http';
import { Agent, request as secure } from 'node:https';
import { badParameter } from '../../formats/errors.ts';
import type { ClusterOptions } from '../../formats/network-options.ts';

export interface EtcdStore {
  /** Before every key; without a slash at the end. */
  readonly path: string;
  /** The first message of an answer. Asks each host in turn, beginning with the one that answered last. */
  ask(path: string, body: object): Promise<Record<string, unknown>>;
  /** All messages of an answer that goes on. */
  follow(path: string, body: object, signal: AbortSignal): AsyncIterable<unknown>;
  close(): void;
}

/** 'etcd://HOST:PORT[,HOST:PORT…][/PATH]' @throws badParameter */
export function decodeStore(url: string): { hosts: string[]; path: string } {
  const match = /^etcd:\/\/([^/@\s]+)(\/[\w./-]*)?$/.exec(url);
  const hosts = (match?.[1] ?? '').split(',').map(each => (/:\d+$/.test(each) ? each : `${each}:2379`));
  if (match === null || hosts.some(each => !/^([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(each)))
    throw badParameter(
      `cluster-store must be etcd://HOST:PORT[,HOST:PORT][/PATH], not ${JSON.stringify(url.replace(/\/\/.*@/, '//…@'))} (a user and a password go into cluster-store-opts: kv.username and kv.passwordfile)`,
    );
  return { hosts, path: (match[2] ?? '').replace(/\/+$/, '') };
}

/** Milliseconds without an answer, after which a host counts as away. */
const PATIENCE = 10_000;
/** Bytes: far more than the state of any cluster. */
const LARGEST = 64 * 1024 * 1024;

/** @throws badParameter when a file of the options cannot be used */
export function openStore({ store, tls, user, ttl, path: asked }: ClusterOptions): EtcdStore {
  const { hosts, path } = decodeStore(store);
  // A lease must not end while one of several hosts is waited for.
  const patience = hosts.length === 1 ? PATIENCE : Math.min(PATIENCE, (ttl / 3) * 1000);
  const agent = tls && agentOf(tls);
  let preferred = 0;
  /** Aborts when another host is preferred: a watch of one that is dead would wait for ever. */
  let moved = new AbortController();
  let token: string | undefined;

  const open = async (given: {
    host: string;
    path: string;
    body: object;
    signal: AbortSignal;
  }): Promise<IncomingMessage> => {
    const { host, signal } = given;
    const headers = {
      // A member that lost the others ends a watch, which would hear of nothing.
      'Grpc-Metadata-hasleader': 'true',
      ...(token !== undefined && { authorization: token }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const options = { method: 'POST', signal, headers };
    const asked = agent
      ? secure(`https://${host}${given.path}`, { ...options, agent }, resolve)
      : plain(`http://${host}${given.path}`, options, resolve);
    asked.on('error', error => {
      reject(new Error(signal.aborted ? `${host} does not answer` : `${host}: ${error.message}`));
    });
    asked.end(JSON.stringify(given.body));
    const answer = await promise;
    if (answer.statusCode === 200) return answer;
    for await (const line of lines(answer)) throw new Error(`${host}: ${reasonIn(line)}`);
    throw new Error(`${host} answers ${answer.statusCode}`);
  };
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const host = hosts[preferred]!;
    const answer = await open({ host, path, body, signal: AbortSignal.timeout(patience) });
    for await (const line of lines(answer)) return JSON.parse(line) as Record<string, unknown>;
    throw new Error(`${host} gave an empty answer`);
  };
  /** Tokens expire, and an etcd that starts again knows none of them. */
  const withToken = async <T>(work: () => Promise<T>): Promise<T> => {
    if (user === undefined) return work();
    const hadOne = token !== undefined;
    if (!hadOne) token = String((await post('/v3/auth/authenticate', user)).token);
    try {
      return await work();
    } catch (error) {
      if (!/auth token|user name is empty/.test((error as Error).message)) throw error;
      token = undefined;
      if (hadOne) return withToken(work);
      throw error;
    }
  };

  return {
    path: asked ?? path,
    async ask(path, body) {
      let failure: unknown;
      for (let attempt = 0; attempt < hosts.length; attempt++) {
        try {
          return await withToken(() => post(path, body));
        } catch (error) {
          failure = error;
          if (hosts.length === 1) continue;
          preferred = (preferred + 1) % hosts.length;
          moved.abort();
          moved = new AbortController();
        }
      }
      throw failure;
    },
    async *follow(path, body, asked) {
      const signal = AbortSignal.any([asked, moved.signal]);
      const answer = await withToken(() => open({ host: hosts[preferred]!, path, body, signal }));
      for await (const line of lines(answer)) yield JSON.parse(line);
    },
    close: () => agent?.destroy(),
  };
}

function agentOf({ ca, cert, key }: NonNullable<ClusterOptions['tls']>): Agent {
  const read = (option: string, path: string | undefined): Buffer | undefined => {
    try {
      return path === undefined ? undefined : readFileSync(path);
    } catch (cause) {
      throw badParameter(`cluster-store-opts: ${option}: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  return new Agent({
    keepAlive: true,
    ca: read('kv.cacertfile', ca),
    cert: read('kv.certfile', cert),
    key: read('kv.keyfile', key),
  });
}

/** What etcd says in an answer that is an error: {"error":"etcdserver: permission denied","code":7} */
function reasonIn(line: string): string {
  try {
    const { error, message } = JSON.parse(line) as { error?: string; message?: string };
    const reason = String(message ?? error).slice(0, 200);
    return reason.startsWith('CommonName of client')
      ? 'an etcd that wants passwords takes no certificate with a common name: make those of the hosts without one (openssl req -subj /O=hosts)'
      : reason;
  } catch {
    return line.slice(0, 200);
  }
}

/** The gateway ends each message of a stream with a newline. */
async function* lines(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    rest += chunk as string;
    if (rest.length > LARGEST) throw new Error('etcd sends more than any state of a cluster');
    const parts = rest.split('\n');
    rest = parts.pop()!;
    yield* parts.filter(each => each !== '');
  }
  if (rest !== '') yield rest;
}
