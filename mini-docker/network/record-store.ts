// Records on disk. Each is written beside its place and renamed into it, so a reader finds the old or the new one.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../formats/errors.ts';
import {
  anyObject,
  array,
  boolean,
  integer,
  map,
  nullable,
  object,
  parse,
  parseObject,
  string,
  strings,
} from '../formats/schema.ts';
import { ensureDirectory, loadKept, removeKept, saveKept, sweep, type Tell } from '../linux/kept-file.ts';
import { writeWhole } from '../linux/whole-file.ts';
import type { ContainerRecord, NetworkRecord } from './record.ts';
import { decodeSubnet } from './subnet.ts';

export interface RecordStore {
  /** Receives problems with the records. */
  tell: Tell;
  networks(): NetworkRecord[];
  saveNetwork(record: NetworkRecord): void;
  removeNetwork(id: string): void;
  containers(): ContainerRecord[];
  saveContainer(record: ContainerRecord): void;
  removeContainer(containerId: string): void;
}

export function openRecordStore(options: { root: string; connections: string; tell?: Tell }): RecordStore {
  const { root, connections: containers, tell = () => {} } = options;
  const networks = join(root, 'networks');
  for (const directory of [networks, containers]) {
    ensureDirectory(directory, { mode: 0o700, tell });
    // A killed daemon was writing them.
    sweep(directory, { unwanted: name => name.endsWith('.tmp'), tell });
  }
  return {
    tell,
    networks: () => readAll(networks, decodeNetwork, tell),
    saveNetwork: record =>
      saveKept(join(networks, `${record.resource.Id}.json`), JSON.stringify(record), { durable: true }),
    removeNetwork: id => removeKept(join(networks, `${id}.json`)),
    containers: () => readAll(containers, decodeContainer, tell),
    saveContainer: record =>
      writeWhole(join(containers, `${record.containerId}.json`), JSON.stringify(record)),
    removeContainer: id => removeKept(join(containers, `${id}.json`)),
  };
}

/** Includes records of which only the copy is left. */
function readAll<T>(directory: string, decode: (bytes: Buffer, id: string) => T, tell: Tell): T[] {
  const ids = readdirSync(directory).flatMap(name => /^([0-9a-f]+)\.json(?:\.last)?$/.exec(name)?.[1] ?? []);
  return [...new Set(ids)].flatMap(id => {
    const record = loadKept(join(directory, `${id}.json`), bytes => decode(bytes, id), tell);
    return record === undefined ? [] : [record];
  });
}

/** Fields that are used later, and must be valid. */
const pool = object(
  { IPRange: string, AuxiliaryAddresses: map(string), Gateway: string },
  { Subnet: string },
);
const networkFile = object(
  {},
  {
    version: integer,
    bridge: string,
    mac: string,
    resource: object(
      { ConfigOnly: boolean },
      {
        Id: string,
        Name: string,
        Created: string,
        Scope: string,
        Driver: string,
        EnableIPv6: boolean,
        Internal: boolean,
        Options: map(string),
        Labels: map(string),
        IPAM: object({}, { Config: array(pool) }),
      },
    ),
  },
);
const endpoint = object(
  {},
  {
    networkId: string,
    endpointId: string,
    macAddress: string,
    ipAddress: string,
    ipv6Address: string,
    gateway: string,
    link: string,
    dnsServers: strings,
    links: map(string),
  },
);
const containerFile = object(
  {},
  {
    version: integer,
    containerId: string,
    containerName: string,
    pid: integer,
    endpoints: array(endpoint),
    ports: map(nullable(array(anyObject))),
  },
);

/** @throws FormatError when the record is invalid */
export function decodeNetwork(bytes: Buffer, id: string): NetworkRecord {
  const { version, resource } = parse(bytes, 'network', networkFile);
  checkOwner({ version, of: resource.Id, id });
  for (const { Subnet, Gateway } of resource.IPAM.Config) {
    if (Gateway === undefined && !resource.ConfigOnly)
      throw new FormatError(`network.resource.IPAM.Config: ${Subnet} has no Gateway`);
    if (decodeSubnet(Subnet) === undefined) throw new FormatError(`its subnet is none: ${Subnet}`);
  }
  return parseObject(bytes, 'network') as unknown as NetworkRecord;
}

/** @throws FormatError when the record is invalid */
function decodeContainer(bytes: Buffer, id: string): ContainerRecord {
  const { version, containerId } = parse(bytes, 'container on networks', containerFile);
  checkOwner({ version, of: containerId, id });
  return parseObject(bytes, 'container on networks') as unknown as ContainerRecord;
}

function checkOwner({ version, of, id }: { version: number; of: string; id: string }): void {
  if (version !== 1) throw new FormatError(`its version ${version} is unknown`);
  if (of !== id) throw new FormatError(`it is the record of ${JSON.stringify(of)}`);
}
