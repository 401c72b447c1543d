// Assembles the parts of this folder.

import { join } from 'node:path';
import type { NetworkOptions } from '../formats/network-options.ts';
import type { Tell } from '../linux/kept-file.ts';
import { type NetlinkSocket, openNetlink } from '../linux/netlink/socket.ts';
import { type Attachments, createAttachments } from './attachments.ts';
import { removeLinks } from './bridge.ts';
import { type Catalog, openCatalog } from './catalog.ts';
import type { Cluster } from './cluster/cluster.ts';
import { joinCluster } from './cluster/shared-networks.ts';
import { tunnelMtu } from './cluster/tunnel.ts';
import { createNameServers, type NameServers } from './dns/name-servers.ts';
import { removeRules } from './firewall.ts';
import { createForwarding } from './forwarding.ts';
import type { OpenHostSocket } from './listener.ts';
import { findNft, type Nft, noNft } from './nft.ts';
import { createPartition, type Partition } from './partition.ts';
import { createPublications, type Publications } from './publications.ts';
import { openRecordStore } from './record-store.ts';
import { createSandboxes, type Sandboxes } from './sandboxes.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import { createSwitchboard, type Switchboard } from './switchboard.ts';
import { sysctl } from './sysctl.ts';

export interface OpenOptions extends NetworkOptions {
  /** Directory for networks and leases. Only one process may use it. */
  root: string;
  /** Directory for containers' connections, which are void after a reboot. */
  connections: string;
  /** Directory for the files of network namespaces, which are void after a reboot. */
  sandboxes: string;
  /** Receives problems with files on disk. */
  tell?: Tell;
  /** For a daemon whose network is not the host's: opens the sockets of published ports there. */
  openHostSocket?: OpenHostSocket | undefined;
  /** Path of nft(8); default: searched in PATH. */
  nft?: string;
}

export interface Parts {
  cluster: Cluster | undefined;
  /** The largest packet that a tunnel to other hosts takes; undefined without a cluster. */
  tunnelMtu: () => number | undefined;
  host: NetlinkSocket;
  nft: Nft;
  catalog: Catalog;
  attachments: Attachments;
  publications: Publications;
  partition: Partition;
  switchboard: Switchboard;
  nameServers: NameServers;
  sweeper: Sweeper;
  sandboxes: Sandboxes;
  /** Receives problems with the state on disk. */
  tell: Tell;
  /** Failures of background work, which no client waits for. */
  problems: string[];
}

export function openParts(options: OpenOptions): Parts {
  const store = openRecordStore(options);
  const host = openNetlink();
  const catalog = openCatalog({ store, host, bridge: options.bridge ?? {}, pools: options.pools });
  const attachments = createAttachments({ store, host, networks: catalog.networks });
  const nft = options.firewall === false ? noNft() : findNft(options.nft);
  // Those of a daemon that had other settings.
  if (nft.isForbidden) removeRules(findNft(options.nft)).catch(() => {});
  const publications = createPublications({
    host,
    networks: catalog.networks,
    switchboard: () => switchboard,
    openHostSocket: options.openHostSocket,
  });
  const partition = createPartition({
    path: join(options.root, 'partition.json'),
    containers: attachments.containers,
    tell: store.tell,
  });
  const cluster =
    options.cluster &&
    joinCluster(options.cluster, join(options.root, 'cluster.json'), {
      host,
      catalog,
      attachments,
      tell: store.tell,
      takeDown: ({ record }) => switchboard.takeDown(record),
    });
  const switchboard = createSwitchboard({
    cluster,
    host,
    nft,
    ports: publications.rules,
    cut: partition.cut,
    forwarding: createForwarding(host, join(options.root, 'forwarding.json'), {
      enabled: options.forward !== false,
    }),
  });
  const nameServers = createNameServers(attachments.containers, cluster?.elsewhere);
  const sweeper = createSweeper(names => removeLinks(host, names));
  return {
    cluster,
    tunnelMtu: () => cluster && tunnelMtu(host, cluster.self.address),
    host,
    nft,
    catalog,
    attachments,
    publications,
    partition,
    switchboard,
    nameServers,
    sweeper,
    sandboxes: createSandboxes(options.sandboxes, store.tell),
    tell: store.tell,
    problems:
      options.forward === false && sysctl('ipv4/ip_forward') === '0'
        ? ['IPv4 forwarding is disabled, and ip-forward=false keeps it so: containers reach no other hosts']
        : [],
  };
}
