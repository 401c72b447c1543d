// Networks in the Docker Engine API: the bodies that clients send and get, under the API's own field names.
// https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Network

import type { EndpointSettings } from './containers.ts';

/** One address pool of a network. */
export interface IpamConfig {
  /** '172.18.0.0/16' */
  Subnet?: string;
  /** The part of the subnet that containers get addresses from. */
  IPRange?: string;
  Gateway?: string;
  /** Addresses that no container may get, by name: the field is AuxiliaryAddresses, and AuxAddress in older clients. */
  AuxiliaryAddresses?: Record<string, string>;
}

export interface Ipam {
  Driver?: string;
  Options?: Record<string, string> | null;
  Config?: IpamConfig[] | null;
}

/** POST /networks/create */
export interface NetworkCreateBody {
  Name: string;
  CheckDuplicate?: boolean;
  Driver?: string;
  Scope?: string;
  Internal?: boolean;
  Attachable?: boolean;
  Ingress?: boolean;
  ConfigOnly?: boolean;
  ConfigFrom?: { Network: string } | null;
  IPAM?: Ipam | null;
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  Options?: Record<string, string> | null;
  Labels?: Record<string, string> | null;
}

export interface NetworkCreated {
  Id: string;
  Warning: string;
}

/** A running container on a network. Addresses with their prefix length: '172.18.0.2/16'; '' for none. */
export interface NetworkContainer {
  Name: string;
  EndpointID: string;
  MacAddress: string;
  IPv4Address: string;
  IPv6Address: string;
}

/** GET /networks/ID, and an element of GET /networks (where Containers is empty). */
export interface NetworkResource {
  Name: string;
  Id: string;
  Created: string;
  Scope: 'local';
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: { Driver: string; Options: Record<string, string> | null; Config: IpamConfig[] };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  /** By container id. */
  Containers: Record<string, NetworkContainer>;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

/** POST /networks/ID/connect */
export interface NetworkConnectBody {
  Container: string;
  EndpointConfig?: EndpointSettings | null;
}

/** POST /networks/ID/disconnect */
export interface NetworkDisconnectBody {
  Container: string;
  Force?: boolean;
}

export interface NetworksPruned {
  NetworksDeleted: string[] | null;
}
