// The networks of the driver overlay, which several hosts share. etcd has the truth: the networks, the hosts, and
// which address is on which host. What etcd said last is kept in memory (others.ts), so that running containers go on
// while etcd is away; this host's part of it is in presence.ts.

import { setTimeout as pause } from 'node:timers/promises';
import { type ExpectedError, unavailable } from '../../formats/errors.ts';
import type { ClusterOptions } from '../../formats/network-options.ts';
import type { Tell } from '../../linux/kept-file.ts';
import type { ContainerRecord, NetworkRecord } from '../record.ts';
import { type Claims, claims } from './claims.ts';
import { type Definitions, definitions } from './definitions.ts';
import { type ClusterHost, keysBelow, type SharedEndpoint } from './entries.ts';
import { type KeyValue, openEtcd } from './etcd.ts';
import { openStore } from './etcd-connection.ts';
import { createOthers, type Listeners } from './others.ts';
import { createPresence } from './presence.ts';

export interface OpenClusterOptions {
  options: ClusterOptions;
  /** This host's address for the others. */
  address: () => string;
  /** Path of the state file. */
  path: string;
  tell: Tell;
  hostName: string;
  containers: ReadonlyMap<string, ContainerRecord>;
  /** The networks here that are shared. */
  networks(): readonly NetworkRecord[];
  listeners: Listeners;
}

export interface Cluster extends Definitions, Claims {
  /** Reads again whether the network exists and who has these addresses of it. */
  look(networkId: string, addresses: readonly string[]): Promise<void>;
  /** Containers that are on other hosts; undefined before etcd has said it once. */
  elsewhere(networkId: string): readonly SharedEndpoint[] | undefined;
  readonly hosts: readonly ClusterHost[];
  readonly self: ClusterHost;
  close(): Promise<void>;
}

/** Milliseconds before the next attempt to reach etcd. */
const AGAIN = 1000;

export function openCluster(given: OpenClusterOptions): Cluster {
  const { options, tell, containers, networks } = given;
  const store = openStore(options);
  const etcd = openEtcd(store);
  const keys = keysBelow(`${store.path}/mini-docker/`);
  const { path, hostName, address } = given;
  const presence = createPresence({
    etcd,
    keys,
    path,
    ttl: options.ttl,
    hostName,
    address,
    containers,
    networks,
    tell,
  });
  const others = createOthers({ keys, self: presence.self.id, listeners: given.listeners, tell });
  const closing = new AbortController();
  let watching = new AbortController();

  const away = (cause: unknown): ExpectedError =>
    unavailable(
      `the cluster store ${options.store} is away, so nothing can be changed on networks that hosts share (running containers go on): ${(cause as Error).message}`,
      { cause },
    );
  const reached = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw away(error);
    }
  };
  const read = async (): Promise<{ found: KeyValue[]; revision: string }> => {
    const answer = await etcd.list(keys.root);
    others.replace(answer.found, networks());
    return answer;
  };

  /** Containers that start with the daemon wait for it. */
  const firstContact = Promise.withResolvers<void>();
  let trouble = '';
  const follow = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      let reached = false;
      try {
        watching = new AbortController();
        await presence.renew();
        const { found, revision } = await read();
        await presence.publish(found);
        trouble = '';
        firstContact.resolve();
        reached = true;
        const signal = AbortSignal.any([watching.signal, closing.signal]);
        await etcd.watch({ prefix: keys.root, after: revision, changed: others.hear, signal });
      } catch (error) {
        // A watch may end because its member of etcd did; whether the others answer, the next attempt shows.
        if (!reached) {
          if (!closing.signal.aborted && !watching.signal.aborted && trouble === '')
            tell(away(error).message);
          trouble = (error as Error).message;
          firstContact.resolve();
        }
      }
      await pause(AGAIN, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  };
  const followAgain = (): void => watching.abort();
  // A lost lease took the addresses along: they are put again.
  const rhythm = { seconds: options.heartbeat ?? options.ttl / 3, lost: followAgain, signal: closing.signal };
  const following = Promise.all([follow(), presence.beat(rhythm)]);

  return {
    ...definitions({ etcd, keys, self: presence.self.id, reached, read }),
    ...claims({
      etcd,
      keys,
      presence,
      others,
      away,
      firstContact: firstContact.promise,
      trouble: () => trouble,
      followAgain,
    }),
    async look(networkId, addresses) {
      for (const key of [keys.network(networkId), ...addresses.map(each => keys.endpoint(networkId, each))]) {
        const { found } = await reached(etcd.list(key));
        const exact = found.find(each => each.key === key);
        others.hear([exact ? { put: exact } : { deleted: key }]);
      }
    },
    elsewhere: others.on,
    get hosts() {
      return others.hosts;
    },
    get self() {
      return presence.self;
    },
    async close() {
      closing.abort();
      followAgain();
      await Promise.race([following, pause(AGAIN, undefined, { ref: false })]);
      // A store that does not answer keeps no daemon from ending: the lease ends by itself.
      await Promise.race([presence.leave(), pause(2 * AGAIN)]);
      store.close();
    },
  };
}

export const noCluster = (): ExpectedError =>
  unavailable(
    'networks of the driver overlay need a cluster store: set "cluster-store": "etcd://HOST:2379" and "cluster-advertise": "ADDRESS" (of this host) in daemon.json, or start the daemon with --cluster-store and --cluster-advertise',
  );
