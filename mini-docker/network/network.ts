// What the engine sees of networks. Implemented in networks.ts.

export interface AttachOptions {
  /** Network name or id. */
  network: string;
  containerId: string;
  /** A process in the container's network namespace. */
  pid: number;
  /** Asked for by the user; else chosen. */
  ipAddress?: string;
  macAddress?: string;
}

export interface Endpoint {
  networkId: string;
  endpointId: string;
  /** Inside the container: 'eth0'. */
  interface: string;
  ipAddress: string;
  ipPrefixLen: number;
  gateway: string;
  macAddress: string;
}

export interface Networks {
  /** Makes the veth pair, moves one end into the namespace of `pid`, gives it an address and a default route, and brings lo up. On failure nothing is left. */
  attach(options: AttachOptions): Promise<Endpoint>;
  /** Gives the container's addresses back. Idempotent; the links are already gone with the namespace. */
  detach(containerId: string): Promise<void>;
}
