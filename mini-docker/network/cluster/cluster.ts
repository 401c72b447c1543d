// The networks of the driver overlay, which several hosts share. etcd has the truth: the networks, the hosts, and
// which address is on which host. This host's part of it is bound to a lease, so that it goes with the host. What etcd
// said last is kept in memory, so that running containers go on while etcd is away.

import { randomBytes } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ExpectedError, FormatError } from '../../formats/errors.ts';
import { object, parse, string, strings } from '../../formats/schema.ts';
import { loadKept, saveKept, type Tell } from '../../linux/kept-file.ts';
import type { ContainerRecord, EndpointRecord, NetworkRecord } from '../record.ts';
import { decodeSharedNetwork, MAC } from './decode-network.ts';
import { type Change, decodeStore, type KeyValue, openEtcd } from './etcd.ts';

/** Settings of the daemon, under docker's names. */
export interface ClusterSettings {
  /** etcd://HOST:PORT */
  store: string;
  /** This host's address for the others. */
  advertise: () => string;
  /** Seconds after which a host counts as dead. */
  ttl: number;
}

export interface ClusterHost {
  id: string;
  name: string;
  address: string;
}

/** An address of a network, and where it is. */
export interface SharedEndpoint {
  /** Id and address of its host. */
  host: string;
  at: string;
  ipAddress: string;
  mac: string;
  containerId: string;
  container: string;
  dnsNames: string[];
}

export interface ClusterOptions {
  settings: ClusterSettings;
  /** Path of the state file. */
  path: string;
  tell: Tell;
  hostName: string;
  containers: ReadonlyMap<string, ContainerRecord>;
  /** The networks here that are shared. */
  networks(): readonly NetworkRecord[];
  /** A network of another host has come, or one is gone. */
  added(record: NetworkRecord): void;
  removed(id: string): void;
  /** Addresses of other hosts have come or gone. */
  moved(id: string, change: { taken?: string; freed?: string }): void;
}

export interface Cluster {
  /** Makes a network known to all hosts. `define` is called with up to date networks, again when another host was faster. */
  create(define: () => NetworkRecord): Promise<NetworkRecord>;
  /** @throws forbidden while a host has containers on it */
  remove(record: NetworkRecord): Promise<void>;
  /** Takes an address for this host. Resolves with false when another host has it. */
  claim(networkId: string, endpoint: Omit<SharedEndpoint, 'host' | 'at'>): Promise<boolean>;
  /** Gives an address back; where etcd is away, as soon as it is back. */
  release(networkId: string, ipAddress: string): void;
  /** Tells others a container's new names. */
  renamed(containerId: string): void;
  /** Reads again whether the network exists and who has an address of it. */
  look(networkId: string, ipAddress: string): Promise<void>;
  /** Addresses that are on other hosts; undefined before etcd has said it once. */
  elsewhere(networkId: string): readonly SharedEndpoint[] | undefined;
  readonly hosts: readonly ClusterHost[];
  readonly self: ClusterHost;
  close(): Promise<void>;
}

const sharedEndpoint = object(
  {},
  {
    host: string,
    at: string,
    ipAddress: string,
    mac: string,
    containerId: string,
    container: string,
    dnsNames: strings,
  },
);
function decodeEndpoint(value: string, address: string): SharedEndpoint {
  const endpoint = parse(value, 'endpoint', sharedEndpoint);
  const { ipAddress, at, mac } = endpoint;
  if (ipAddress !== address || !isIPv4(ipAddress) || isIP(at) === 0 || !MAC.test(mac))
    throw new FormatError('it has no valid addresses');
  return endpoint;
}

const clusterHost = object({}, { id: string, name: string, address: string });
const stateFile = object({ lease: string }, { id: string });

/** Milliseconds before the next attempt to reach etcd. */
const AGAIN = 1000;

export function openCluster(options: ClusterOptions): Cluster {
  const { settings, path, tell, containers } = options;
  const store = decodeStore(settings.store);
  const etcd = openEtcd(store.hosts);
  const root = `${store.path}/mini-docker/`;
  const networkKey = (id: string) => `${root}networks/${id}`;
  const endpointKey = (id: string, address: string) => `${root}endpoints/${id}/${address}`;
  /** Changes whenever a network comes or goes, so that two hosts never define one at once. */
  const definitions = `${root}definitions`;

  const state = loadKept(path, bytes => parse(bytes, 'cluster', stateFile), tell) ?? {
    id: randomBytes(8).toString('hex'),
  };
  const save = () => saveKept(path, JSON.stringify(state));
  const self = (): ClusterHost => ({ id: state.id, name: options.hostName, address: settings.advertise() });

  const hosts = new Map<string, ClusterHost>();
  /** Addresses of other hosts, by network. */
  let elsewhere: Map<string, Map<string, SharedEndpoint>> | undefined;
  const closing = new AbortController();
  let watching = new AbortController();

  const away = (cause: unknown): ExpectedError =>
    new ExpectedError(
      'unavailable',
      `the cluster store ${settings.store} is away, so nothing can be changed on networks that hosts share (running containers go on): ${(cause as Error).message}`,
      { cause },
    );
  const reached = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw away(error);
    }
  };

  const own = (): Map<string, SharedEndpoint> => {
    const found = new Map<string, SharedEndpoint>();
    const shared = new Set(options.networks().map(each => each.resource.Id));
    for (const record of containers.values())
      for (const endpoint of record.endpoints)
        if (shared.has(endpoint.networkId))
          found.set(endpointKey(endpoint.networkId, endpoint.ipAddress), here(sharedOf(record, endpoint)));
    return found;
  };
  const here = (endpoint: Omit<SharedEndpoint, 'host' | 'at'>): SharedEndpoint => ({
    ...endpoint,
    host: state.id,
    at: settings.advertise(),
  });

  /** Keeps a foreign address in mind, or forgets it. */
  const note = (networkId: string, address: string, endpoint: SharedEndpoint | undefined): void => {
    elsewhere ??= new Map();
    const known = elsewhere.get(networkId) ?? new Map<string, SharedEndpoint>();
    elsewhere.set(networkId, known);
    if (endpoint !== undefined && endpoint.host !== state.id) {
      known.set(address, endpoint);
      options.moved(networkId, { taken: address });
    } else if (known.delete(address)) options.moved(networkId, { freed: address });
  };

  const put = ({ key, value }: KeyValue): void => {
    const [kind, id, address] = key.slice(root.length).split('/');
    try {
      if (kind === 'networks') options.added(decodeSharedNetwork(value, id!));
      else if (kind === 'hosts') hosts.set(id!, parse(value, key, clusterHost));
      else if (kind === 'endpoints') note(id!, address!, decodeEndpoint(value, address!));
    } catch (error) {
      tell(`the cluster store has a bad entry ${key}: ${(error as Error).message}`);
    }
  };
  const gone = (key: string): void => {
    const [kind, id, address] = key.slice(root.length).split('/');
    if (kind === 'networks') options.removed(id!);
    else if (kind === 'hosts') hosts.delete(id!);
    else if (kind === 'endpoints') note(id!, address!, undefined);
  };
  const changed = (changes: readonly Change[]): void => {
    for (const change of changes) 'put' in change ? put(change.put) : gone(change.deleted);
  };

  /** Makes what is in memory equal to what etcd has. @returns the revision from which to watch */
  const read = async (): Promise<{ found: KeyValue[]; revision: string }> => {
    const answer = await etcd.list(root);
    const keys = new Set(answer.found.map(each => each.key));
    for (const each of answer.found) put(each);
    for (const { resource } of options.networks())
      if (!keys.has(networkKey(resource.Id))) options.removed(resource.Id);
    for (const id of [...hosts.keys()]) if (!keys.has(`${root}hosts/${id}`)) hosts.delete(id);
    elsewhere ??= new Map();
    for (const [id, known] of elsewhere)
      for (const address of [...known.keys()])
        if (!keys.has(endpointKey(id, address))) note(id, address, undefined);
    for (const { resource } of options.networks()) options.moved(resource.Id, {});
    return answer;
  };

  /** The lease of an earlier daemon still holds the addresses of containers that kept running. */
  const ensureLease = async (): Promise<void> => {
    if (state.lease === undefined || !(await etcd.keepAlive(state.lease)))
      state.lease = await etcd.lease(settings.ttl);
    save();
  };

  /** Makes etcd's view of this host equal to what runs here. */
  const publish = async (found: readonly KeyValue[]): Promise<void> => {
    const lease = state.lease!;
    await etcd.transact([], [{ put: `${root}hosts/${state.id}`, value: JSON.stringify(self()), lease }]);
    const wanted = own();
    for (const key of wanted.keys()) pending.delete(key);
    for (const { key, value } of found) {
      if (!key.startsWith(`${root}endpoints/`) || wanted.has(key) || pending.has(key)) continue;
      if (value.includes(`"host":"${state.id}"`)) await etcd.transact([], [{ delete: key }]);
    }
    for (const [key, endpoint] of wanted) {
      const before = found.find(each => each.key === key);
      const isOurs = before === undefined || before.value.includes(`"host":"${state.id}"`);
      if (!isOurs || !(await putOwn(key, endpoint, before)))
        tell(
          `container ${endpoint.container} has the address ${endpoint.ipAddress}, which another host got while the cluster store did not hear of this one: restart the container`,
        );
    }
  };
  const putOwn = (key: string, endpoint: SharedEndpoint, before: KeyValue | undefined): Promise<boolean> =>
    etcd.transact(
      [{ key, is: before === undefined ? 'absent' : { modRevision: before.modRevision } }],
      [{ put: key, value: JSON.stringify(endpoint), lease: state.lease! }],
    );

  /** Addresses whose container is not recorded yet. */
  const pending = new Set<string>();
  /** Containers that start with the daemon wait for it. */
  const firstContact = Promise.withResolvers<void>();
  let trouble = '';
  const follow = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        watching = new AbortController();
        await ensureLease();
        const { found, revision } = await read();
        await publish(found);
        trouble = '';
        firstContact.resolve();
        const signal = AbortSignal.any([watching.signal, closing.signal]);
        await etcd.watch({ prefix: root, after: revision, changed, signal });
      } catch (error) {
        const { message } = error as Error;
        if (!closing.signal.aborted && trouble === '') tell(away(error).message);
        trouble = message;
        firstContact.resolve();
      }
      await pause(AGAIN, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  };
  const beat = setInterval(
    async () => {
      const isAlive = await etcd.keepAlive(state.lease ?? '0').catch(() => undefined);
      // A lost lease took the addresses along: they are put again.
      if (isAlive === false) watching.abort();
    },
    (settings.ttl * 1000) / 3,
  ).unref();
  follow();

  const lease = (): string => {
    if (state.lease === undefined || elsewhere === undefined)
      throw new Error(trouble || 'it was not reached yet');
    return state.lease;
  };

  return {
    async create(define) {
      for (;;) {
        const { found } = await reached(read());
        const record = define();
        const before = found.find(each => each.key === definitions);
        const done = await reached(
          etcd.transact(
            [{ key: definitions, is: before === undefined ? 'absent' : { modRevision: before.modRevision } }],
            [
              { put: definitions, value: state.id },
              { put: networkKey(record.resource.Id), value: JSON.stringify(record) },
            ],
          ),
        );
        if (done) return record;
      }
    },
    async remove({ resource }) {
      const done = await reached(
        etcd.transact(
          [{ key: `${root}endpoints/${resource.Id}/`, prefix: true, is: 'absent' }],
          [{ put: definitions, value: state.id }, { delete: networkKey(resource.Id) }],
        ),
      );
      if (!done)
        throw new ExpectedError(
          'forbidden',
          `error while removing network: network ${resource.Name} id ${resource.Id} has active endpoints on other hosts`,
        );
    },
    async claim(networkId, endpoint) {
      const key = endpointKey(networkId, endpoint.ipAddress);
      const take = () =>
        etcd.transact(
          [
            { key, is: 'absent' },
            { key: networkKey(networkId), is: 'present' },
          ],
          [{ put: key, value: JSON.stringify(here(endpoint)), lease: lease() }],
        );
      await firstContact.promise;
      pending.add(key);
      try {
        return await take().catch(async () => {
          // The lease of a host that was too busy to keep it alive is gone: follow() puts its other addresses again.
          watching.abort();
          await ensureLease();
          return take();
        });
      } catch (error) {
        pending.delete(key);
        throw away(error);
      }
    },
    release(networkId, ipAddress) {
      pending.delete(endpointKey(networkId, ipAddress));
      // Where it fails, publish() finds the address when etcd is back, or the lease ends.
      etcd.transact([], [{ delete: endpointKey(networkId, ipAddress) }]).catch(() => watching.abort());
    },
    renamed(containerId) {
      const operations = [...own()]
        .filter(([, each]) => each.containerId === containerId)
        .map(([key, each]) => ({ put: key, value: JSON.stringify(each), lease: state.lease ?? '0' }));
      etcd.transact([], operations).catch(() => watching.abort());
    },
    async look(networkId, ipAddress) {
      for (const key of [networkKey(networkId), endpointKey(networkId, ipAddress)]) {
        const { found } = await reached(etcd.list(key));
        const exact = found.find(each => each.key === key);
        if (exact) put(exact);
        else gone(key);
      }
    },
    elsewhere: id => elsewhere && [...(elsewhere.get(id)?.values() ?? [])],
    get hosts() {
      return [...hosts.values()];
    },
    get self() {
      return self();
    },
    async close() {
      clearInterval(beat);
      closing.abort();
      if (own().size === 0 && state.lease !== undefined) {
        await etcd.endLease(state.lease).catch(() => {});
        delete state.lease;
        save();
      }
    },
  };
}

export const noCluster = (): ExpectedError =>
  new ExpectedError(
    'unavailable',
    'networks of the driver overlay need a cluster store: set "cluster-store": "etcd://HOST:2379" and "cluster-advertise": "ADDRESS" (of this host) in daemon.json, or start the daemon with --cluster-store and --cluster-advertise',
  );

export const sharedOf = (
  { containerId, containerName }: Pick<ContainerRecord, 'containerId' | 'containerName'>,
  { ipAddress, macAddress, dnsNames }: Pick<EndpointRecord, 'ipAddress' | 'macAddress' | 'dnsNames'>,
): Omit<SharedEndpoint, 'host' | 'at'> => ({
  containerId,
  container: containerName,
  ipAddress,
  mac: macAddress,
  dnsNames,
});

/** 'ADDRESS', 'INTERFACE', either with ':PORT', which means nothing here. */
export function decodeAdvertise(text: string): string {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+)(?::\d+)?$/.exec(text);
  if (match === null)
    throw new FormatError(
      `cluster-advertise must be an address or an interface, not ${JSON.stringify(text)}`,
    );
  return match[1]!.replace(/^\[|\]$/g, '');
}
