// What hosts share in the cluster store: one key for each network, VNI, host and address, with JSON as its value. All
// of it is written by other machines, so it is checked when it is read.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { FormatError } from '../../formats/errors.ts';
import { object, parse, string, strings } from '../../formats/schema.ts';
import type { ContainerRecord, EndpointRecord } from '../record.ts';
import { MAC } from './decode-network.ts';

export interface ClusterHost {
  id: string;
  name: string;
  address: string;
}

/** A container on a shared network, and where it is. */
export interface SharedEndpoint {
  /** Id and address of its host. */
  host: string;
  at: string;
  ipAddress: string;
  /** Absent on a network without IPv6. */
  ipv6Address?: string | undefined;
  mac: string;
  containerId: string;
  container: string;
  dnsNames: string[];
}

/** An endpoint before a host has claimed it. */
export type WantedEndpoint = Omit<SharedEndpoint, 'host' | 'at'>;

export interface Keys {
  /** Before every key. */
  root: string;
  /** Changes whenever a network comes or goes, so that two hosts never define one at once. */
  definitions: string;
  network(id: string): string;
  /** Number of a network's tunnels, which no other network may have. */
  vni(vni: number): string;
  host(id: string): string;
  /** Below it are the addresses of a network. */
  endpoints(networkId: string): string;
  endpoint(networkId: string, address: string): string;
}

export function keysBelow(root: string): Keys {
  const endpoints = (networkId: string) => `${root}endpoints/${networkId}/`;
  return {
    root,
    definitions: `${root}definitions`,
    network: id => `${root}networks/${id}`,
    vni: vni => `${root}vnis/${vni}`,
    host: id => `${root}hosts/${id}`,
    endpoints,
    endpoint: (networkId, address) => `${endpoints(networkId)}${address}`,
  };
}

const sharedEndpoint = object(
  { ipv6Address: string },
  {
    host: string,
    at: string,
    ipAddress: string,
    mac: string,
    containerId: string,
    container: string,
    dnsNames: strings,
  },
);

/** @throws FormatError when it is not one that this program could have written for this address */
export function decodeEndpoint(value: string, address: string): SharedEndpoint {
  const endpoint = parse(value, 'endpoint', sharedEndpoint);
  const { ipAddress, ipv6Address, at, mac } = endpoint;
  const isRight =
    addressesOf(endpoint).includes(address) &&
    isIPv4(ipAddress) &&
    (ipv6Address === undefined || isIPv6(ipv6Address)) &&
    isIP(at) !== 0 &&
    MAC.test(mac);
  if (!isRight) throw new FormatError('it has no valid addresses');
  return endpoint;
}

const clusterHost = object({}, { id: string, name: string, address: string });
export const decodeHost = (value: string, key: string): ClusterHost => parse(value, key, clusterHost);

/** Each of them has a key of its own. */
export const addressesOf = (endpoint: Pick<SharedEndpoint, 'ipAddress' | 'ipv6Address'>): string[] => [
  endpoint.ipAddress,
  ...(endpoint.ipv6Address ? [endpoint.ipv6Address] : []),
];

export const sharedOf = (
  { containerId, containerName }: Pick<ContainerRecord, 'containerId' | 'containerName'>,
  endpoint: Pick<EndpointRecord, 'ipAddress' | 'ipv6Address' | 'macAddress' | 'dnsNames'>,
): WantedEndpoint => ({
  containerId,
  container: containerName,
  ipAddress: endpoint.ipAddress,
  ...(endpoint.ipv6Address !== '' && { ipv6Address: endpoint.ipv6Address }),
  mac: endpoint.macAddress,
  dnsNames: endpoint.dnsNames,
});
