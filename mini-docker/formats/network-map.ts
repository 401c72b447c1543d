// GET /mini-docker/network-map, an addition to Docker's API: the kernel's state of our networks, for a
// picture.

/** A network's bridge, as the kernel has it now. */
export interface BridgeMap {
  network: string;
  /** The bridge's link name. */
  link: string;
  up: boolean;
  mac: string;
  mtu: number;
  /** With prefix lengths: '172.17.0.1/16'. */
  addresses: string[];
  internal: boolean;
  cables: CableMap[];
}

/** A port of the bridge: usually a veth pair, whose other end is in a container. */
export interface CableMap {
  /** The end at the bridge. */
  link: string;
  up: boolean;
  /** The other end; undefined when none of our containers has it. */
  end?: CableEnd;
  /** What the link is when it is none of our cables: 'veth', 'tap', …; 'physical' for hardware. */
  kind?: string;
  /** The tunnel to other hosts. */
  tunnel?: TunnelMap;
  /** The other end of a veth that is none of our cables. */
  foreign?: ForeignEnd;
}

export interface ForeignEnd {
  link: string;
  /** A process in whose network namespace it is; undefined: the host's own. */
  process?: { pid: number; name: string };
}

/** A network of the driver macvlan: a link of the host's, and the containers' links upon it. */
export interface ParentMap {
  network: string;
  /** The parent's name. */
  link: string;
  up: boolean;
  mode: string;
  ends: CableEnd[];
}

/** A VXLAN link of a network that hosts share. */
export interface TunnelMap {
  vni: number;
  /** Where the packets for containers on other hosts go, by what the kernel has. */
  ends: { container: string; ipAddress: string; at: string }[];
}

export interface CableEnd {
  container: string;
  containerId: string;
  interface: string;
  up: boolean;
  mac: string;
  addresses: string[];
}

export interface PublishedMap {
  protocol: string;
  /** '0.0.0.0' for all. */
  hostIp: string;
  hostPort: number;
  container: string;
  containerIp: string;
  containerPort: number;
}

export interface NetworkMap {
  /** Networks of which the kernel has a bridge. */
  bridges: BridgeMap[];
  /** Networks whose containers are on a link of the host's. */
  parents: ParentMap[];
  /** The others: nothing of them is in the kernel before a container is on them. */
  idle: string[];
  /** From the table of NAT rules; where there is no nft, from the daemon, which then passes them on itself. */
  published: PublishedMap[];
  publishedBy: 'nat' | 'proxy';
  /** The hosts that share networks, this one too; undefined for a daemon without a cluster store. */
  hosts?: { name: string; address: string; isSelf: boolean }[];
}
