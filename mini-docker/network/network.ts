// The interface to networks, which the engine uses; openNetworks() in networks.ts implements it. Failures
// that a user can act on are ExpectedErrors (errors.ts) with the engine's kinds.

import type { PortMap } from '../formats/engine-api/containers.ts';
import type {
  NetworkCreateBody,
  NetworkCreated,
  NetworkResource,
  NetworksPruned,
} from '../formats/engine-api/networks.ts';
import type { Filters } from '../formats/engine-api/system.ts';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { NetworkCondition, ShownCondition } from '../formats/network-conditions.ts';
import type { NetworkMap } from '../formats/network-map.ts';
import type { AddressRange } from '../formats/network-options.ts';
import type { MissedPackets, TracedPacket } from '../formats/network-trace.ts';

import type { DroppingRule } from './foreign-rules.ts';

export interface AttachOptions {
  /**
   * Network name, id, or an unambiguous prefix of the id. 'none' and 'host' only record the container.
   */
  network: string;
  containerId: string;
  /** Name for people and, on user-defined networks, for DNS. */
  containerName: string;
  /** Pid of a process in the container's network namespace. */
  pid: number;
  /** Former addresses, which it gets again if they are free. */
  preferred?: { ipAddress?: string; ipv6Address?: string };
  /** Address that the user chose; else a free one. */
  ipAddress?: string;
  ipv6Address?: string;
  macAddress?: string;
  /** Name of the link in the container; else the next of eth0, eth1, … */
  interface?: string;
  /** Further addresses, which are not allocated by anyone: 169.254.0.0/16, fe80::/64. */
  linkLocal?: readonly string[];
  /** Further names of the container on user-defined networks (`--network-alias`). */
  aliases?: string[];
  /** Names for other containers that only this one sees (`--link web:db` is { db: 'web' }). */
  links?: Record<string, string>;
  /** Servers that the user chose (`--dns`); else the host's. */
  dns?: { servers?: string[] };
}

/** A container that an earlier daemon left running, for `adopt`. */
export interface RunningContainer {
  containerId: string;
  /** Pid of a process in the container's network namespace. */
  pid: number;
  /** Its networks and published ports, in case the record of its connections is lost; undefined where it has none of its own. */
  known?: { containerName: string; asked: readonly AttachOptions[]; ports: PortMap };
}

export interface Endpoint {
  networkId: string;
  networkName: string;
  endpointId: string;
  /**
   * Name in the container: 'eth0', on a second network 'eth1'. On 'none' and 'host' it is '', like all that
   * follows.
   */
  interface: string;
  ipAddress: string;
  /** Prefix length; 0 for none. */
  ipPrefixLen: number;
  gateway: string;
  macAddress: string;
  ipv6Address: string;
  ipv6PrefixLen: number;
  ipv6Gateway: string;
  /**
   * Names by which other containers of the network reach it; empty on the default bridge, which has no DNS.
   */
  dnsNames: string[];
}

export interface PublishOptions {
  containerId: string;
  /**
   * Docker's HostConfig.PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }; '' as HostPort means
   * any free one.
   */
  bindings: PortMap;
}

export interface ExplainOptions {
  /** Name, id, or an unambiguous prefix of the id. */
  network: string;
  /** 'eth0' */
  interface: string;
  /** Address that the user chose; else a free one. */
  ipAddress?: string;
  /** Ports to publish through this network. */
  bindings: PortMap;
}

/** Whose cables a condition is for. `name` is for messages. */
export type ConditionTarget = { containerId: string; name: string } | { network: string };

export interface Networks {
  list(filters?: Filters): Promise<NetworkResource[]>;
  /** Driver of a network, by its id; 'bridge' when it no longer exists. */
  driverOf(id: string): string;
  /** notFound: no such network. */
  inspect(network: string): Promise<NetworkResource>;
  /** The same without its containers, for which all containers would be looked at. @throws notFound */
  definition(network: string): Omit<NetworkResource, 'Containers'>;
  /**
   * conflict: the name is taken. badParameter: an invalid or overlapping subnet. forbidden: a predefined
   * name.
   */
  create(body: NetworkCreateBody): Promise<NetworkCreated>;
  /** forbidden: predefined, or it has containers. Returns the network that was removed. */
  remove(network: string): Promise<NetworkResource>;
  /** Removes networks without containers, except those in `inUse` (names or ids). */
  prune(filters?: Filters, inUse?: ReadonlySet<string>): Promise<NetworksPruned>;

  /**
   * Makes the veth pair, moves one end into the network namespace of `pid`, gives it an address, and, if it
   * is the container's first network with a gateway, the default route. Takes 1 to 2 ms on a
   * network that is in use. On failure nothing of this network is left. Also works for a running container
   * (`network connect`). notFound: no such network. forbidden: already connected. conflict: the address is
   * taken.
   */
  attach(options: AttachOptions): Promise<Endpoint>;
  /**
   * Publishes all ports of an attached container on the host, or none.
   * @returns the bindings with the chosen addresses and ports. conflict: a port is in use.
   */
  publish(options: PublishOptions): Promise<PortMap>;
  /**
   * Releases the container's addresses and ports: on one network (`network disconnect`, which removes its
   * link), else on all (after it has exited; the links go with its namespace). Idempotent; with a network,
   * notFound: not connected to it.
   */
  detach(containerId: string, network?: string): Promise<void>;
  /** Another process now keeps the container's network namespace; its connections stay. */
  moveTo(containerId: string, pid: number): void;
  /** Sets the container's new name, for DNS and inspect. */
  rename(containerId: string, name: string): void;

  /** Path of a file that is the network namespace of a running container; '' for one that has none of its own. */
  sandboxKey(containerId: string): string;
  /** The connections of a running container; [] for others. */
  endpoints(containerId: string): Endpoint[];
  /** The steps of attach() and publish(). notFound: no such network. */
  explain(options: ExplainOptions): ExplainedStep[];
  /** Firewall rules of others that may keep packets from a port of a running container; [] where that cannot be known. */
  rulesAgainst(
    containerId: string,
    port: { address: string; port: number; protocol: string },
  ): Promise<DroppingRule[]>;
  /**
   * Makes the cables of running containers worse, until they stop; on a container's cable, a condition for the same
   * `to` is replaced. badParameter: invalid values. conflict: no cable. notImplemented: the kernel lacks a module.
   */
  setCondition(options: {
    target: ConditionTarget;
    /** An address, or a container. */
    to?: string | ConditionTarget;
    condition: NetworkCondition;
  }): Promise<void>;
  /** What the kernel has; of all containers where there is no target. */
  showConditions(target?: ConditionTarget): Promise<ShownCondition[]>;
  clearConditions(target?: ConditionTarget): Promise<void>;
  /**
   * Keeps the containers of each group from those of the others, until the next call; other containers reach all. [] ends it.
   */
  partition(groups: readonly (readonly string[])[]): Promise<void>;
  /** Ids of containers, in the groups of the present partition; [] without one. */
  partitions(): readonly (readonly string[])[];
  /** The kernel's view of all networks, for a picture. */
  map(): Promise<NetworkMap>;
  /** As the daemon's configuration has them; [] for the default ones. */
  readonly pools: readonly AddressRange[];
  /** Missing features of this host that limit networks, in words for users; known once a network was used. */
  warnings(): string[];

  /**
   * Call it once after opening, with all running containers: takes over their endpoints (names, published
   * ports), and releases those of all others.
   */
  adopt(running: readonly RunningContainer[]): Promise<void>;
  /**
   * The paths of packets from and to a container, until the signal aborts.
   * @param options.port of the container; undefined: all
   * @throws notImplemented without nft; conflict when the container has no address
   */
  trace(
    containerId: string,
    options: { port?: number | undefined; signal: AbortSignal },
  ): AsyncIterable<TracedPacket | MissedPackets>;
  /**
   * Stops serving. Containers keep their networks; without containers, bridges and NAT rules are removed.
   * Idempotent.
   */
  close(): Promise<void>;
}
