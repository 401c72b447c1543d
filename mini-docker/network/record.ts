// Records on disk: a network's definition, and the networks of a running container.
import type { PortMap } from '../formats/engine-api/containers.ts';
import type { NetworkResource } from '../formats/engine-api/networks.ts';
import type { BridgeOptions } from '../formats/network-options.ts';
import type { Endpoint } from './network.ts';

/** networks/ID.json */
export interface NetworkRecord {
  version: 1;
  /** The network in the API's form, without its containers. */
  resource: Omit<NetworkResource, 'Containers'>;
  /**
   * The bridge's link name and its MAC address, which would otherwise change with its ports; '' without a
   * bridge.
   */
  bridge: string;
  mac: string;
  /** Number of a network that hosts share (overlay). */
  vni?: number;
  /** The bridge is the administrator's: known by its name only, and never removed. */
  isForeign?: boolean;
  /** For the default bridge: the daemon's settings. */
  madeFrom?: BridgeOptions & { isForeign?: boolean };
  /** Subnets that the user did not name: addresses in them cannot be requested. */
  chosen?: string[];
}

/** containers/ID.json: exists while the container runs. It is void after a reboot. */
export interface ContainerRecord {
  version: 1;
  containerId: string;
  containerName: string;
  pid: number;
  endpoints: EndpointRecord[];
  /** The chosen ports. */
  ports: PortMap;
}

export interface EndpointRecord extends Endpoint {
  /** The host's end of the veth pair; '' for none. */
  link: string;
  links: Record<string, string>;
  dnsServers: string[];
}

/** A cable between a container and a bridge. */
export type Cable = Pick<EndpointRecord, 'link' | 'interface' | 'macAddress'>;

/** Docker's option names for `-o`; the short ones are for people. */
export const OPTION = {
  bridgeName: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
  vni: 'com.docker.network.driver.overlay.vxlanid_list',
} as const;

/** Docker's names for an auxiliary address that is the containers' gateway, in place of the bridge. */
export const GATEWAY_KEY = { 4: 'DefaultGatewayIPv4', 6: 'DefaultGatewayIPv6' } as const;

/** Whether containers on it get a link: those of all drivers but host and null do. */
export const hasLinks = ({ bridge, resource }: NetworkRecord): boolean =>
  bridge !== '' || resource.Driver === 'macvlan';

export const PREDEFINED = ['bridge', 'host', 'none'] as const;

export function isPredefined(name: string): boolean {
  return (PREDEFINED as readonly string[]).includes(name);
}

export function mtuOf(record: NetworkRecord): number | undefined {
  const text = record.resource.Options[OPTION.mtu];
  return text === undefined ? undefined : Number(text);
}
