// The networks' objects in the host's kernel: a bridge for each network in use, and one table of rules.
import { findLink } from '../linux/netlink/links.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { ensureBridge, findBridge, removeLinks } from './bridge.ts';
import { type Cluster, noCluster } from './cluster/cluster.ts';
import { ensureTunnel, fillTunnel, tunnelOf } from './cluster/tunnel.ts';
import { createFirewall } from './firewall.ts';
import type { Family, Forwarding } from './forwarding.ts';
import { ensureParent, isMacvlan, ownParent, removeParent } from './macvlan.ts';
import type { Nft } from './nft.ts';
import type { Partition } from './partition.ts';
import type { NetworkRecord } from './record.ts';
import type { PublishedPort } from './rules.ts';
import { setSysctl } from './sysctl.ts';

export interface Switchboard {
  /** Makes the network's bridge and rules, or macvlan's parent, if they are missing. Resolves with the link's index. */
  stand(record: NetworkRecord): Promise<number>;
  /** Whether the bridge exists, even if an earlier process made it. */
  exists(record: NetworkRecord): boolean;
  /** Whether the index still belongs to a link. */
  isThere(index: number): boolean;
  /** Removes the bridge and the rules of this network. Idempotent. */
  takeDown(record: NetworkRecord): Promise<void>;
  takeAllDown(): Promise<void>;
  /** Forgets the bridge without removing it. */
  forget(record: NetworkRecord): void;
  /** Updates the rules for the published ports and the partition. */
  applyRules(): Promise<void>;
  /** false: nft is missing; undefined: not tried yet. */
  readonly nat: boolean | undefined;
}

export function createSwitchboard(options: {
  cluster: Cluster | undefined;
  host: NetlinkSocket;
  nft: Nft;
  ports: () => PublishedPort[];
  cut: Partition['cut'];
  forwarding: Forwarding;
}): Switchboard {
  const { cluster, host, nft, ports, cut, forwarding } = options;
  const standing = new Map<string, { record: NetworkRecord; ready: Promise<number> }>();
  /** Networks of the driver macvlan that were used: they have no bridge and need no rules. */
  const parents = new Map<string, NetworkRecord>();
  const firewall = createFirewall(nft, () => ({
    networks: [...standing.values()].map(each => each.record),
    ports: ports(),
    cut: cut(),
    forwardedByUs: forwarding.ours,
  }));
  const open = (record: NetworkRecord): void => {
    // Without rules there is no translation, and other hosts cannot be reached.
    if (!firewall.available && !nft.isForbidden) {
      forwarding.giveBack([]);
      return;
    }
    if (record.resource.Internal) return;
    forwarding.turnOn(familiesOf(record));
    if (!firewall.available) return;
    // Lets the host's own 127.0.0.1:PORT reach a container; the rules keep others from using it.
    setSysctl(`ipv4/conf/${record.bridge}/route_localnet`, '1');
  };
  const connectHosts = (record: NetworkRecord, bridge: number): void => {
    if (record.vni === undefined) return;
    if (cluster === undefined) throw noCluster();
    ensureTunnel(host, { record, bridge, local: cluster.self.address });
    const others = cluster.elsewhere(record.resource.Id);
    if (others) fillTunnel(host, record, others);
  };
  const giveBack = async (gone: readonly NetworkRecord[]): Promise<void> => {
    const bridges = gone.filter(record => findBridge(host, record)).map(each => each.bridge);
    if (![...standing.values()].some(({ record }) => !record.resource.Internal)) forwarding.giveBack(bridges);
    await firewall.apply();
    const tunnels = gone.filter(each => each.vni !== undefined).map(tunnelOf);
    const foreign = gone.filter(each => each.isForeign).map(each => each.bridge);
    await removeLinks(host, [...tunnels, ...bridges.filter(each => !foreign.includes(each))]);
  };

  return {
    async stand(record) {
      const { Id } = record.resource;
      if (isMacvlan(record)) {
        parents.set(Id, record);
        return ensureParent(host, record);
      }
      const existing = standing.get(Id);
      if (existing) return existing.ready;
      const index = ensureBridge(host, record);
      connectHosts(record, index);
      if (firewall.available !== false && !record.resource.Internal) forwarding.prepare(familiesOf(record));
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      standing.set(Id, { record, ready: promise });
      firewall
        .apply()
        .then(() => open(record))
        .then(() => resolve(index), reject);
      return promise.catch(error => {
        standing.delete(Id);
        throw error;
      });
    },
    exists: record =>
      isMacvlan(record)
        ? ownParent(host, record) !== undefined
        : record.bridge !== '' && findBridge(host, record) !== undefined,
    isThere: index => findLink(host, index) !== undefined,
    async takeDown(record) {
      if (isMacvlan(record)) removeParent(host, record);
      else if (standing.delete(record.resource.Id) || findBridge(host, record)) await giveBack([record]);
    },
    async takeAllDown() {
      const all = [...standing.values()].map(each => each.record);
      standing.clear();
      for (const record of parents.values()) removeParent(host, record);
      await giveBack(all);
    },
    forget: record => standing.delete(record.resource.Id),
    applyRules: firewall.apply,
    get nat() {
      return firewall.available;
    },
  };
}

function familiesOf(record: NetworkRecord): Family[] {
  return record.resource.EnableIPv6 ? [4, 6] : [4];
}
