// etcd's v3 API through its JSON gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/): POST with JSON, keys
// and values in base64, 64-bit numbers as text.
import { type IncomingMessage, request } from 'node:http';
import { ExpectedError } from '../../formats/errors.ts';

export interface KeyValue {
  key: string;
  value: string;
  modRevision: string;
}

/** A key's state, as a condition of a transaction. With `prefix`, that of all keys below it. */
export interface Condition {
  key: string;
  prefix?: boolean;
  is: 'absent' | 'present' | { modRevision: string };
}

export type Operation = { put: string; value: string; lease?: string } | { delete: string };

export type Change = { put: KeyValue } | { deleted: string };

export interface Etcd {
  /** All keys below a prefix, and the revision of the whole store at which they were so. */
  list(prefix: string): Promise<{ found: KeyValue[]; revision: string }>;
  /** Does everything or nothing. Resolves with whether the conditions held. */
  transact(conditions: readonly Condition[], operations: readonly Operation[]): Promise<boolean>;
  /** A lease: keys that were put with it go when it is not kept alive for `seconds`. */
  lease(seconds: number): Promise<string>;
  /** Resolves with whether the lease still exists. */
  keepAlive(lease: string): Promise<boolean>;
  endLease(lease: string): Promise<void>;
  /** Calls back with each change after a revision. Rejects when the connection ends. */
  watch(options: {
    prefix: string;
    after: string;
    changed: (changes: readonly Change[]) => void;
    signal: AbortSignal;
  }): Promise<never>;
}

export interface Store {
  /** 'HOST:PORT', of which any is asked. */
  hosts: string[];
  /** Before every key; without a slash at the end. */
  path: string;
}

/** 'etcd://HOST:PORT[,HOST:PORT…][/PATH]' @throws badParameter */
export function decodeStore(url: string): Store {
  const match = /^etcd:\/\/([^/@\s]+)(\/[\w./-]*)?$/.exec(url);
  const hosts = (match?.[1] ?? '').split(',').map(each => (/:\d+$/.test(each) ? each : `${each}:2379`));
  if (match === null || hosts.some(each => !/^([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(each)))
    throw new ExpectedError(
      'badParameter',
      `cluster-store must be etcd://HOST:PORT[,HOST:PORT][/PATH], without a password, not ${JSON.stringify(url)}`,
    );
  return { hosts, path: (match[2] ?? '').replace(/\/+$/, '') };
}

/** Milliseconds without an answer, after which a host counts as away. */
const PATIENCE = 10_000;
/** Bytes: far more than the state of any cluster. */
const LARGEST = 64 * 1024 * 1024;

export function openEtcd(hosts: readonly string[]): Etcd {
  let preferred = 0;

  /** Asks each host in turn, beginning with the one that answered last. */
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    let failure: unknown;
    for (let attempt = 0; attempt < hosts.length; attempt++) {
      try {
        return await post(hosts[preferred]!, path, body);
      } catch (error) {
        failure = error;
        preferred = (preferred + 1) % hosts.length;
      }
    }
    throw failure;
  };

  return {
    async list(prefix) {
      const answer = await ask('/v3/kv/range', range(prefix));
      const { kvs = [] } = answer as { kvs?: RawKeyValue[] };
      return { found: kvs.map(decodeKeyValue), revision: revisionOf(answer) };
    },
    async transact(conditions, operations) {
      const answer = await ask('/v3/kv/txn', {
        compare: conditions.map(encodeCondition),
        success: operations.map(each =>
          'put' in each
            ? {
                requestPut: {
                  key: encode(each.put),
                  value: encode(each.value),
                  ...(each.lease === undefined ? {} : { lease: each.lease }),
                },
              }
            : { requestDeleteRange: { key: encode(each.delete) } },
        ),
      });
      return answer.succeeded === true;
    },
    async lease(seconds) {
      return String((await ask('/v3/lease/grant', { TTL: seconds })).ID);
    },
    async keepAlive(lease) {
      const { result } = (await ask('/v3/lease/keepalive', { ID: lease })) as { result?: { TTL?: string } };
      return Number(result?.TTL ?? 0) > 0;
    },
    async endLease(lease) {
      await ask('/v3/lease/revoke', { ID: lease });
    },
    async watch({ prefix, after, changed, signal }) {
      const body = { create_request: { ...range(prefix), start_revision: String(BigInt(after) + 1n) } };
      const answer = await open({ host: hosts[preferred]!, path: '/v3/watch', body, signal });
      for await (const line of lines(answer)) {
        const { result } = JSON.parse(line) as { result?: { events?: RawEvent[]; canceled?: boolean } };
        if (result?.canceled) break;
        changed((result?.events ?? []).map(decodeEvent));
      }
      throw new Error('the connection to etcd ended');
    },
  };
}

interface RawKeyValue {
  key: string;
  value?: string;
  mod_revision: string;
}

interface RawEvent {
  type?: 'DELETE';
  kv: RawKeyValue;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString();

const decodeKeyValue = ({ key, value = '', mod_revision }: RawKeyValue): KeyValue => ({
  key: decode(key),
  value: decode(value),
  modRevision: mod_revision,
});

const decodeEvent = ({ type, kv }: RawEvent): Change =>
  type === 'DELETE' ? { deleted: decode(kv.key) } : { put: decodeKeyValue(kv) };

/** The keys that begin with a prefix end before the text with its last byte increased. */
function range(prefix: string): { key: string; range_end: string } {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return { key: encode(prefix), range_end: end.toString('base64') };
}

function encodeCondition({ key, prefix = false, is }: Condition): object {
  const where = prefix ? range(key) : { key: encode(key) };
  if (typeof is === 'object')
    return { ...where, target: 'MOD', result: 'EQUAL', mod_revision: is.modRevision };
  return { ...where, target: 'CREATE', result: is === 'absent' ? 'EQUAL' : 'GREATER', create_revision: '0' };
}

const revisionOf = (answer: Record<string, unknown>): string =>
  (answer.header as { revision: string }).revision;

async function post(host: string, path: string, body: object): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(PATIENCE);
  const answer = await open({ host, path, body, signal });
  for await (const line of lines(answer)) return JSON.parse(line) as Record<string, unknown>;
  throw new Error(`${host} gave an empty answer`);
}

/** Resolves with the head of an answer. @throws Error with what etcd says, when it refuses */
async function open(options: {
  host: string;
  path: string;
  body: object;
  signal: AbortSignal;
}): Promise<IncomingMessage> {
  const { host, path, body, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request(`http://${host}${path}`, { method: 'POST', signal }, resolve);
  asked.on('error', (error: NodeJS.ErrnoException) => {
    reject(new Error(signal.aborted ? `${host} does not answer` : `${host}: ${error.message}`));
  });
  asked.end(JSON.stringify(body));
  const answer = await promise;
  if (answer.statusCode === 200) return answer;
  for await (const line of lines(answer)) throw new Error(`${host}: ${line.slice(0, 200)}`);
  throw new Error(`${host} answers ${answer.statusCode}`);
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
