// Networks in the Docker Engine API: the bodies that clients send and get, under the API's own field names.
// https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Network

import { array, boolean, type Infer, map, nullable, object, or, string } from '../schema.ts';
import { endpointSettings } from './containers.ts';

const addresses = map(string);

/** One address pool of a network. */
const ipamConfig = object({
  /** '172.18.0.0/16' */
  Subnet: string,
  /** The part of the subnet from which containers get addresses. */
  IPRange: string,
  Gateway: string,
  /** Addresses that no container may get, by name. */
  AuxiliaryAddresses: addresses,
  /** The same, under the name that clients before 1.22 use. */
  AuxAddress: addresses,
});
export type IpamConfig = Infer<typeof ipamConfig>;

/** POST /networks/create */
export const networkCreateBody = object(
  {
    CheckDuplicate: boolean,
    Driver: string,
    Scope: string,
    Internal: boolean,
    Attachable: boolean,
    Ingress: boolean,
    ConfigOnly: boolean,
    ConfigFrom: nullable(object({}, { Network: or(string, '') })),
    IPAM: nullable(
      object({ Driver: string, Options: nullable(map(string)), Config: nullable(array(ipamConfig)) }),
    ),
    EnableIPv4: boolean,
    EnableIPv6: boolean,
    Options: nullable(map(string)),
    Labels: nullable(map(string)),
  },
  { Name: or(string, '') },
);
export type NetworkCreateBody = Infer<typeof networkCreateBody>;

export interface NetworkCreated {
  Id: string;
  Warning: string;
}

/** A running container on a network. Addresses have their prefix length, '172.18.0.2/16', or are ''. */
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
  Scope: 'local' | 'global';
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: { Driver: string; Options: Record<string, string> | null; Config: IpamConfig[] };
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  /** The containers by their ids. */
  Containers: Record<string, NetworkContainer>;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

/** POST /networks/ID/connect */
export const networkConnectBody = object(
  { EndpointConfig: nullable(endpointSettings) },
  { Container: or(string, '') },
);
export type NetworkConnectBody = Infer<typeof networkConnectBody>;

/** POST /networks/ID/disconnect */
export const networkDisconnectBody = object({ Force: boolean }, { Container: or(string, '') });
export type NetworkDisconnectBody = Infer<typeof networkDisconnectBody>;

export interface NetworksPruned {
  NetworksDeleted: string[] | null;
}
