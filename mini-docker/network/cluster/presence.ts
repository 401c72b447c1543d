// This host's part of the cluster store: its entry and its containers' addresses. They are bound to a lease, which this
// host renews: when it dies, its addresses are free again.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { object, parse, string } from '../../formats/schema.ts';
import { loadKept, saveKept, type Tell } from '../../linux/kept-file.ts';
import type { ContainerRecord, NetworkRecord } from '../record.ts';
import {
  addressesOf,
  type ClusterHost,
  type Keys,
  type SharedEndpoint,
  sharedOf,
  type WantedEndpoint,
} from './entries.ts';
import type { Etcd, KeyValue } from './etcd.ts';

export interface Presence {
  readonly self: ClusterHost;
  /** The lease of this host. @throws Error before the store was reached */
  lease(): string;
  /** Makes sure of it: the lease of a host that was too busy to renew it is gone. */
  renew(): Promise<string>;
  /** The endpoint with its place. */
  here(endpoint: WantedEndpoint): SharedEndpoint;
  /** This host's endpoints by their keys. */
  own(): Map<string, SharedEndpoint>;
  /** Keys of addresses whose container is not recorded yet. */
  readonly pending: Set<string>;
  /** Makes the store's view of this host equal to what runs here. */
  publish(found: readonly KeyValue[]): Promise<void>;
  /** Renews the lease until the signal aborts, and calls back when it was lost. */
  beat(options: { seconds: number; lost: () => void; signal: AbortSignal }): Promise<void>;
  /** Gives the lease up, unless containers hold it. */
  leave(): Promise<void>;
}

const stateFile = object({ lease: string }, { id: string });

export function createPresence(options: {
  etcd: Etcd;
  keys: Keys;
  /** Path of the state file. */
  path: string;
  /** Seconds after which a host counts as dead. */
  ttl: number;
  hostName: string;
  address: () => string;
  containers: ReadonlyMap<string, ContainerRecord>;
  networks: () => readonly NetworkRecord[];
  tell: Tell;
}): Presence {
  const { etcd, keys, path, ttl, containers, tell } = options;
  const state = loadKept(path, bytes => parse(bytes, 'cluster', stateFile), tell) ?? {
    id: randomBytes(8).toString('hex'),
  };
  const save = () => saveKept(path, JSON.stringify(state));
  const pending = new Set<string>();
  const self = (): ClusterHost => ({ id: state.id, name: options.hostName, address: options.address() });
  const here = (endpoint: WantedEndpoint): SharedEndpoint => ({
    ...endpoint,
    host: state.id,
    at: options.address(),
  });
  const isOurs = ({ value }: KeyValue): boolean => value.includes(`"host":"${state.id}"`);
  const lease = (): string => {
    if (state.lease === undefined) throw new Error('it was not reached yet');
    return state.lease;
  };

  const own = (): Map<string, SharedEndpoint> => {
    const shared = new Set(options.networks().map(each => each.resource.Id));
    const found = new Map<string, SharedEndpoint>();
    for (const record of containers.values())
      for (const endpoint of record.endpoints.filter(each => shared.has(each.networkId)))
        for (const address of addressesOf(endpoint))
          found.set(keys.endpoint(endpoint.networkId, address), here(sharedOf(record, endpoint)));
    return found;
  };
  const putOwn = (key: string, endpoint: SharedEndpoint, before: KeyValue | undefined): Promise<boolean> =>
    etcd.transact(
      [{ key, is: before === undefined ? 'absent' : { modRevision: before.modRevision } }],
      [{ put: key, value: JSON.stringify(endpoint), lease: lease() }],
    );

  return {
    get self() {
      return self();
    },
    pending,
    here,
    own,
    lease,
    async renew() {
      // The lease of an earlier daemon still holds the addresses of containers that kept running.
      if (state.lease === undefined || !(await etcd.keepAlive(state.lease)))
        state.lease = await etcd.lease(ttl);
      save();
      return state.lease;
    },
    async publish(found) {
      await etcd.transact([], [{ put: keys.host(state.id), value: JSON.stringify(self()), lease: lease() }]);
      const wanted = own();
      for (const key of wanted.keys()) pending.delete(key);
      for (const each of found) {
        const isLeft = each.key.startsWith(`${keys.root}endpoints/`) && isOurs(each);
        if (isLeft && !wanted.has(each.key) && !pending.has(each.key))
          await etcd.transact([], [{ delete: each.key }]);
      }
      for (const [key, endpoint] of wanted) {
        const before = found.find(each => each.key === key);
        const isFree = before === undefined || isOurs(before);
        if (!isFree || !(await putOwn(key, endpoint, before)))
          tell(
            `container ${endpoint.container} has the address ${key.split('/').at(-1)}, which another host got while the cluster store did not hear of this one: restart the container`,
          );
      }
    },
    async beat({ seconds, lost, signal }) {
      while (!signal.aborted) {
        await pause(seconds * 1000, undefined, { signal, ref: false }).catch(() => {});
        const isAlive = await etcd.keepAlive(state.lease ?? '0').catch(() => undefined);
        if (isAlive === false) lost();
      }
    },
    async leave() {
      if (own().size > 0 || state.lease === undefined) return;
      await etcd.endLease(state.lease).catch(() => {});
      delete state.lease;
      save();
    },
  };
}
