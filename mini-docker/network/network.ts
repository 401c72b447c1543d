// What the engine sees of networks. Implemented by openNetworks() in networks.ts. Rejections that a user can act on
// are NetworkErrors (errors.ts); their kinds are the engine's.

import type { PortMap } from '../formats/engine-api/containers.ts';
import type {
  NetworkCreateBody,
  NetworkCreated,
  NetworkResource,
  NetworksPruned,
} from '../formats/engine-api/networks.ts';
import type { Filters } from '../formats/engine-api/system.ts';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { NetworkMap } from '../formats/network-map.ts';

import type { DroppingRule } from './foreign-rules.ts';

export interface AttachOptions {
  /** Network name, id, or an unambiguous prefix of the id. 'none' only brings lo up, 'host' only remembers. */
  network: string;
  containerId: string;
  /** For people and, on user-defined networks, for DNS. */
  containerName: string;
  /** A process in the container's network namespace. */
  pid: number;
  /** What it had before: it gets these again where they are free. */
  preferred?: { ipAddress?: string; ipv6Address?: string };
  /** Asked for by the user; else chosen. */
  ipAddress?: string;
  ipv6Address?: string;
  macAddress?: string;
  /** Further addresses, which nobody gives out: 169.254.0.0/16, fe80::/64. */
  linkLocal?: readonly string[];
  /** Further names that user-defined networks know the container by (`--network-alias`). */
  aliases?: string[];
  /** Names that only this container knows others by (`--link web:db` is { db: 'web' }). */
  links?: Record<string, string>;
  /** Servers and search domains the user gave (`--dns`); else the host's. */
  dns?: { servers?: string[] };
}

export interface Endpoint {
  networkId: string;
  networkName: string;
  endpointId: string;
  /** Inside the container: 'eth0', on a second network 'eth1'. '' on 'none' and 'host', as all that follows. */
  interface: string;
  ipAddress: string;
  /** 0 for none. */
  ipPrefixLen: number;
  gateway: string;
  macAddress: string;
  ipv6Address: string;
  ipv6PrefixLen: number;
  ipv6Gateway: string;
  /** What other containers of the network can call it; empty on the default bridge, which has no DNS. */
  dnsNames: string[];
}

export interface PublishOptions {
  containerId: string;
  /** Docker's HostConfig.PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }; HostPort '' is any free one. */
  bindings: PortMap;
}

export interface ExplainOptions {
  /** Name, id, or an unambiguous prefix of the id. */
  network: string;
  /** 'eth0' */
  interface: string;
  /** Asked for by the user; else a free one is taken. */
  ipAddress?: string;
  /** To be published through this network. */
  bindings: PortMap;
}

export interface Networks {
  list(filters?: Filters): Promise<NetworkResource[]>;
  /** notFound: no such network. */
  inspect(network: string): Promise<NetworkResource>;
  /** conflict: the name is taken. badParameter: a wrong or overlapping subnet. forbidden: a predefined name. */
  create(body: NetworkCreateBody): Promise<NetworkCreated>;
  /** forbidden: predefined, or containers run on it. Answers with the network that was removed. */
  remove(network: string): Promise<NetworkResource>;
  /** Removes the networks no container runs on, but for those in `inUse` (names or ids). */
  prune(filters?: Filters, inUse?: ReadonlySet<string>): Promise<NetworksPruned>;

  /**
   * Makes the veth pair, moves one end into the namespace of `pid`, gives it an address and, where it is the
   * container's first with a gateway, the default route, and brings lo up. Takes 1 to 2 ms on a network that is in use.
   * On failure nothing of this network is left. Also for a running container (`network connect`).
   * notFound: no such network. forbidden: already connected. conflict: the address is taken.
   */
  attach(options: AttachOptions): Promise<Endpoint>;
  /**
   * Publishes ports of an attached container on the host, in one go or not at all.
   * @returns the bindings as they are: with addresses, and the ports chosen. conflict: a port is in use.
   */
  publish(options: PublishOptions): Promise<PortMap>;
  /**
   * Gives the container's addresses and ports back: of one network (`network disconnect`, its link goes), else of all
   * (when it has ended; the links go with its namespace). Idempotent; with a network, notFound: not connected to it.
   */
  detach(containerId: string, network?: string): Promise<void>;
  /** The container lives on in another process in the same network namespace; what it is connected to stays. */
  moveTo(containerId: string, pid: number): void;
  /** The container's new name, for DNS and inspect. */
  rename(containerId: string, name: string): void;

  /** Of a running container, those connected now; [] for others. */
  endpoints(containerId: string): Endpoint[];
  /** What attach() and publish() would do. notFound: no such network. */
  explain(options: ExplainOptions): ExplainedStep[];
  /** Firewall rules of others that may keep packets from a port of a running container; [] where that cannot be known. */
  rulesAgainst(
    containerId: string,
    port: { address: string; port: number; protocol: string },
  ): Promise<DroppingRule[]>;
  /** What the kernel has of all this, for a picture. */
  map(): Promise<NetworkMap>;
  /** What this host lacks for networks to work in full, in words for users; known after a network was used. */
  warnings(): string[];

  /**
   * Call once after opening, with all containers that still run: takes their endpoints over again (names, published
   * ports), and gives back everything that belonged to others.
   */
  adopt(running: readonly { containerId: string; pid: number }[]): Promise<void>;
  /** Stops serving. Containers keep their networks; where none runs, bridges and NAT rules are taken away. Idempotent. */
  close(): Promise<void>;
}
