// Addresses that containers of this host take from a network of the cluster, and give back.

import { addressesOf, type Keys, type SharedEndpoint, type WantedEndpoint } from './entries.ts';
import type { Etcd } from './etcd.ts';
import type { Others } from './others.ts';
import type { Presence } from './presence.ts';

export interface Claims {
  /** Takes an endpoint's addresses for this host, all or none. Resolves with false when another host has one of them. */
  claim(networkId: string, endpoint: WantedEndpoint): Promise<boolean>;
  /** Gives addresses back; where etcd is away, as soon as it is back. */
  release(networkId: string, endpoint: Pick<SharedEndpoint, 'ipAddress' | 'ipv6Address'>): void;
  /** Tells others a container's new names. */
  renamed(containerId: string): void;
}

export interface ClaimsOptions {
  etcd: Etcd;
  keys: Keys;
  presence: Presence;
  others: Others;
  /** The error that says that the store is away. */
  away(cause: unknown): Error;
  /** Containers that start with the daemon wait for it. */
  firstContact: Promise<void>;
  /** Why the store is away; '' when it is not. */
  trouble(): string;
  /** Reads everything again, and puts this host's addresses. */
  followAgain(): void;
}

export function claims(options: ClaimsOptions): Claims {
  const { etcd, keys, presence, others, away, firstContact, trouble, followAgain } = options;
  return {
    async claim(networkId, endpoint) {
      const wanted = addressesOf(endpoint).map(each => keys.endpoint(networkId, each));
      const value = JSON.stringify(presence.here(endpoint));
      const take = (lease: string) =>
        etcd.transact(
          [
            ...wanted.map(key => ({ key, is: 'absent' as const })),
            { key: keys.network(networkId), is: 'present' },
          ],
          wanted.map(key => ({ put: key, value, lease })),
        );
      await firstContact;
      for (const key of wanted) presence.pending.add(key);
      try {
        if (others.on(networkId) === undefined) throw new Error(trouble() || 'it was not reached yet');
        return await take(presence.lease()).catch(async () => {
          // The lease is gone: follow() puts the other addresses again.
          followAgain();
          return take(await presence.renew());
        });
      } catch (error) {
        for (const key of wanted) presence.pending.delete(key);
        throw away(error);
      }
    },
    release(networkId, endpoint) {
      const keysOf = addressesOf(endpoint).map(each => keys.endpoint(networkId, each));
      for (const key of keysOf) presence.pending.delete(key);
      // Where it fails, publish() finds the addresses when etcd is back, or the lease ends.
      etcd
        .transact(
          [],
          keysOf.map(key => ({ delete: key })),
        )
        .catch(followAgain);
    },
    renamed(containerId) {
      const owned = [...presence.own()].filter(([, each]) => each.containerId === containerId);
      if (owned.length === 0) return;
      const put = async () => {
        const lease = presence.lease();
        const operations = owned.map(([key, each]) => ({ put: key, value: JSON.stringify(each), lease }));
        await etcd.transact([], operations);
      };
      put().catch(followAgain);
    },
  };
}
