// The daemon's settings for networks, which daemon/ reads from daemon.json and network/ follows.

export interface NetworkOptions {
  bridge?: BridgeOptions;
  /** Where networks without a subnet get theirs from; undefined: Docker's ranges. */
  pools?: readonly AddressRange[] | undefined;
  /** Options of new networks that do not set them, by driver. */
  defaults?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /** False where the administrator makes all rules of the firewall: then there is no translation. */
  firewall?: boolean | undefined;
  /** False where the administrator decides whether this host forwards packets. */
  forward?: boolean | undefined;
  /** The hosts with which networks of the driver overlay are shared. */
  cluster?: ClusterOptions | undefined;
}

/** The default bridge; what is undefined is as Docker has it. */
export interface BridgeOptions {
  /** Name of its link; 'none': there is no such network. */
  bridge?: string | undefined;
  /** Its own address with its subnet: '172.28.0.1/16'. */
  bip?: string | undefined;
  bip6?: string | undefined;
  /** Where in the subnet the containers' addresses are. */
  fixedCidr?: string | undefined;
  fixedCidr6?: string | undefined;
  /** The containers' way out, where it is not the bridge. */
  gateway?: string | undefined;
  gateway6?: string | undefined;
  mtu?: number | undefined;
  icc?: boolean | undefined;
  masquerade?: boolean | undefined;
  /** Address of the host at which ports are published. */
  hostAddress?: string | undefined;
  ipv6?: boolean | undefined;
}

/** A range of addresses that is divided into subnets with `size` bits of prefix. */
export interface AddressRange {
  base: string;
  size: number;
}

export interface ClusterOptions {
  /** etcd://HOST:PORT */
  store: string;
  /** Address or interface of this host, for the others. */
  advertise: string;
  /** Seconds after which a host counts as dead. */
  ttl: number;
  /** Seconds between this host's signs of life; undefined: a third of that. */
  heartbeat?: number | undefined;
  /** Before every key, in place of the store's own path. */
  path?: string | undefined;
  /** Paths of PEM files: the authority that signed the store's certificate, and this host's own certificate. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  /** A user of the store. */
  user?: { name: string; password: string } | undefined;
}
