// What the cluster store said last of the other hosts: their networks, addresses and names. It stays in memory while
// the store is away.
import type { Tell } from '../../linux/kept-file.ts';
import type { NetworkRecord } from '../record.ts';
import { decodeSharedNetwork } from './decode-network.ts';
import { type ClusterHost, decodeEndpoint, decodeHost, type Keys, type SharedEndpoint } from './entries.ts';
import type { Change, KeyValue } from './etcd.ts';

/** Tells the rest of this host what has changed on the others. */
export interface Listeners {
  /** A network of another host has come, or one is gone. */
  added(record: NetworkRecord): void;
  removed(id: string): void;
  /** An address of another host has come or gone. */
  moved(networkId: string, change: { taken?: string; freed?: string }): void;
}

export interface Others {
  hear(changes: readonly Change[]): void;
  /** Makes what is in memory equal to all that the store has. */
  replace(found: readonly KeyValue[], networks: readonly NetworkRecord[]): void;
  /** The other hosts' containers on a network; undefined before the store has said it once. */
  on(networkId: string): readonly SharedEndpoint[] | undefined;
  readonly hosts: readonly ClusterHost[];
}

export function createOthers(options: {
  keys: Keys;
  self: string;
  listeners: Listeners;
  tell: Tell;
}): Others {
  const { keys, self, listeners, tell } = options;
  const hosts = new Map<string, ClusterHost>();
  /** By network and address. */
  let elsewhere: Map<string, Map<string, SharedEndpoint>> | undefined;

  const note = (networkId: string, address: string, endpoint: SharedEndpoint | undefined): void => {
    elsewhere ??= new Map();
    const known = elsewhere.get(networkId) ?? new Map<string, SharedEndpoint>();
    elsewhere.set(networkId, known);
    if (endpoint !== undefined && endpoint.host !== self) {
      known.set(address, endpoint);
      listeners.moved(networkId, { taken: address });
    } else if (known.delete(address)) listeners.moved(networkId, { freed: address });
  };
  const put = ({ key, value }: KeyValue): void => {
    const [kind, id = '', address = ''] = key.slice(keys.root.length).split('/');
    try {
      if (kind === 'networks') listeners.added(decodeSharedNetwork(value, id));
      else if (kind === 'hosts') hosts.set(id, decodeHost(value, key));
      else if (kind === 'endpoints') note(id, address, decodeEndpoint(value, address));
    } catch (error) {
      tell(`the cluster store has a bad entry ${key}: ${(error as Error).message}`);
    }
  };
  const gone = (key: string): void => {
    const [kind, id = '', address = ''] = key.slice(keys.root.length).split('/');
    if (kind === 'networks') listeners.removed(id);
    else if (kind === 'hosts') hosts.delete(id);
    else if (kind === 'endpoints') note(id, address, undefined);
  };

  return {
    hear(changes) {
      for (const change of changes) 'put' in change ? put(change.put) : gone(change.deleted);
    },
    replace(found, networks) {
      const present = new Set(found.map(each => each.key));
      for (const each of found) put(each);
      const ids = networks.map(each => each.resource.Id);
      for (const id of ids) if (!present.has(keys.network(id))) listeners.removed(id);
      for (const id of [...hosts.keys()]) if (!present.has(keys.host(id))) hosts.delete(id);
      elsewhere ??= new Map();
      for (const [id, known] of elsewhere)
        for (const address of [...known.keys()])
          if (!present.has(keys.endpoint(id, address))) note(id, address, undefined);
      // Also those without addresses: the kernel may have entries of earlier ones.
      for (const id of ids) listeners.moved(id, {});
    },
    on(networkId) {
      const known = elsewhere?.get(networkId)?.values() ?? [];
      return elsewhere && [...new Map([...known].map(each => [each.ipAddress, each])).values()];
    },
    get hosts() {
      return [...hosts.values()];
    },
  };
}
