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

/** A veth pair: one end a port of the bridge, the other in a container. */
export interface CableMap {
  /** The end at the bridge. */
  link: string;
  up: boolean;
  /** The other end; undefined when none of our containers has it. */
  end?: CableEnd;
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
  /** The others: nothing of them is in the kernel before a container is on them. */
  idle: string[];
  /** From the table of NAT rules; where there is no nft, from the daemon, which then passes them on itself. */
  published: PublishedMap[];
  publishedBy: 'nat' | 'proxy';
}
