// etcd's v3 API as its JSON gateway has it: keys and values in base64, 64-bit numbers as text.
import type { EtcdStore } from './etcd-connection.ts';

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

export function openEtcd({ ask, follow }: EtcdStore): Etcd {
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
      for await (const message of follow('/v3/watch', body, signal)) {
        const { result } = message as { result?: { events?: RawEvent[]; canceled?: boolean } };
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
