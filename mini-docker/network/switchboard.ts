// What networks have in the host's kernel: a bridge for each that is in use, and one table of rules for all.
import { decodeLink, getLink } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { ensureBridge, findBridge, removeLinks } from './bridge.ts';
import { createFirewall } from './firewall.ts';
import type { Nft } from './nft.ts';
import type { NetworkRecord } from './record.ts';
import type { PublishedPort } from './rules.ts';

export interface Switchboard {
  /** Makes the network's bridge and rules, where they are not there yet. Resolves with the bridge's index. */
  stand(record: NetworkRecord): Promise<number>;
  /** Whether the bridge is there, also when an earlier process made it. */
  exists(record: NetworkRecord): boolean;
  /** The same index still leads to a link. */
  isThere(index: number): boolean;
  /** Takes bridge and rules of this network away. Idempotent. */
  takeDown(record: NetworkRecord): Promise<void>;
  takeAllDown(): Promise<void>;
  /** Forgets the bridge without touching it. */
  forget(record: NetworkRecord): void;
  /** Makes the rules follow the published ports. */
  applyRules(): Promise<void>;
  /** false: nft is missing; undefined: not tried yet. */
  readonly nat: boolean | undefined;
}

export function createSwitchboard(options: {
  host: NetlinkSocket;
  nft: Nft;
  ports: () => PublishedPort[];
}): Switchboard {
  const { host, nft, ports } = options;
  const standing = new Map<string, { record: NetworkRecord; ready: Promise<number> }>();
  const firewall = createFirewall(nft, () => ({
    networks: [...standing.values()].map(each => each.record),
    ports: ports(),
  }));

  return {
    async stand(record) {
      const { Id } = record.resource;
      const existing = standing.get(Id);
      if (existing) return existing.ready;
      const index = ensureBridge(host, record);
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      standing.set(Id, { record, ready: promise });
      firewall.apply().then(() => resolve(index), reject);
      return promise.catch(error => {
        standing.delete(Id);
        throw error;
      });
    },
    exists: record => record.bridge !== '' && findBridge(host, record) !== undefined,
    isThere: index => host.get(getLink(index), decodeLink, { mayFail: ['ENODEV'] }) !== undefined,
    async takeDown(record) {
      if (standing.delete(record.resource.Id)) await firewall.apply();
      if (findBridge(host, record)) await removeLinks(host, [record.bridge]);
    },
    async takeAllDown() {
      const all = [...standing.values()].map(each => each.record);
      standing.clear();
      await firewall.apply();
      await removeLinks(
        host,
        all.filter(record => findBridge(host, record)).map(each => each.bridge),
      );
    },
    forget: record => standing.delete(record.resource.Id),
    applyRules: firewall.apply,
    get nat() {
      return firewall.available;
    },
  };
}
