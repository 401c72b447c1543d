// Containers in the Docker Engine API (https://docs.docker.com/reference/api/engine/version/v1.47/): the bodies
// that clients send and receive, under the API's own field names. Requests may be hostile: decode before use.
// System-wide types are in engine-api-system.ts, those of images in engine-api-images.ts.

import { healthConfig } from '../oci/image-config.ts';
import {
  anyObject,
  array,
  boolean,
  type Infer,
  integer,
  map,
  nullable,
  object,
  omitempty,
  or,
  pair,
  type Schema,
  string,
  strings,
  uint16,
  uint32,
  unsigned,
  withZero,
  words,
  zeroOf,
} from '../schema.ts';

const text = or(string, '');
const number = or(integer, 0);
const labels = map(string);
const places = map(anyObject);

/** Settings that are portable between hosts. */
export const containerConfig = object({
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: omitempty(nullable(places)),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: nullable(strings),
  Cmd: nullable(words),
  Healthcheck: omitempty(healthConfig),
  ArgsEscaped: omitempty(boolean),
  Image: string,
  Volumes: nullable(places),
  WorkingDir: string,
  Entrypoint: nullable(words),
  NetworkDisabled: omitempty(boolean),
  MacAddress: omitempty(string),
  OnBuild: nullable(strings),
  Labels: withZero(nullable(labels), {}),
  StopSignal: omitempty(string),
  /** Seconds. */
  StopTimeout: omitempty(nullable(integer)),
  Shell: omitempty(nullable(words)),
});
export type ContainerConfig = Infer<typeof containerConfig>;

const restartPolicy = object({
  Name: string as Schema<'' | 'no' | 'always' | 'unless-stopped' | 'on-failure'>,
  MaximumRetryCount: integer,
});
export type RestartPolicy = Infer<typeof restartPolicy>;

const deviceMapping = object({}, { PathOnHost: string, PathInContainer: text, CgroupPermissions: text });
export type DeviceMapping = Infer<typeof deviceMapping>;

/** Decoded, both are there, as in Docker. */
const portBinding: Schema<{ HostIp?: string; HostPort?: string }> = object(
  {},
  { HostIp: text, HostPort: text },
);
export type PortBinding = Infer<typeof portBinding>;
export type PortMap = Record<string, PortBinding[] | null>;

export const ulimit = object({}, { Name: string, Soft: number, Hard: number });
export type Ulimit = Infer<typeof ulimit>;

const weightDevice = object({}, { Path: string, Weight: or(uint16, 0) });
export type WeightDevice = Infer<typeof weightDevice>;

const throttleDevice = object({}, { Path: string, Rate: or(unsigned, 0) });
export type ThrottleDevice = Infer<typeof throttleDevice>;
const throttles = nullable(array(throttleDevice));

const deviceRequest = object({
  Driver: string,
  Count: integer,
  DeviceIDs: strings,
  Capabilities: array(strings),
  Options: labels,
});

/** An entry of HostConfig.Mounts (`--mount`). */
const mountRequest = object(
  {
    Source: string,
    ReadOnly: boolean,
    Consistency: string,
    BindOptions: object({
      Propagation: string,
      NonRecursive: boolean,
      CreateMountpoint: boolean,
      ReadOnlyNonRecursive: boolean,
      ReadOnlyForceRecursive: boolean,
    }),
    VolumeOptions: object({
      NoCopy: boolean,
      Labels: labels,
      Subpath: string,
      DriverConfig: object({ Name: string, Options: labels }),
    }),
    ImageOptions: object({ Subpath: string }),
    TmpfsOptions: object({ SizeBytes: integer, Mode: uint32, Options: array(strings) }),
  },
  { Type: text as Schema<'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image'>, Target: text },
);
export type MountRequest = Infer<typeof mountRequest>;

/** Limits that `update` can change. Memory in bytes, cpu times in microseconds. */
const resources = object({
  CpuShares: integer,
  Memory: integer,
  /** 10⁻⁹ of a cpu (`--cpus`). */
  NanoCpus: integer,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: nullable(array(weightDevice)),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: nullable(array(deviceMapping)),
  DeviceCgroupRules: nullable(strings),
  DeviceRequests: nullable(array(deviceRequest)),
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: nullable(integer),
  OomKillDisable: nullable(boolean),
  PidsLimit: nullable(integer),
  Ulimits: nullable(array(ulimit)),
});
export type ContainerResources = Infer<typeof resources>;

/** Settings that depend on this host. */
export const hostConfig = object({
  Binds: nullable(strings),
  ContainerIDFile: string,
  LogConfig: withZero(object({ Type: string, Config: nullable(labels) }), { Type: 'json-file', Config: {} }),
  NetworkMode: withZero(string, 'default'),
  PortBindings: nullable(map(nullable(array(portBinding)))),
  RestartPolicy: withZero(restartPolicy, { Name: 'no', MaximumRetryCount: 0 }),
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: nullable(strings),
  /** Rows and columns of the terminal it starts with. */
  ConsoleSize: pair,
  Annotations: omitempty(nullable(labels)),
  CapAdd: nullable(words),
  CapDrop: nullable(words),
  CgroupnsMode: string,
  Dns: nullable(strings),
  DnsOptions: nullable(strings),
  DnsSearch: nullable(strings),
  ExtraHosts: nullable(strings),
  GroupAdd: nullable(strings),
  IpcMode: string,
  Cgroup: string,
  Links: nullable(strings),
  OomScoreAdj: integer,
  PidMode: string,
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: nullable(strings),
  StorageOpt: omitempty(nullable(labels)),
  Tmpfs: omitempty(nullable(labels)),
  UTSMode: string,
  UsernsMode: string,
  /** A user namespace of its own: 'CONTAINER:HOST:SIZE' each. Docker has none for one container; podman calls it so. */
  IDMappings: omitempty(object({ UidMap: nullable(strings), GidMap: nullable(strings) })),
  /** Bytes. */
  ShmSize: integer,
  Sysctls: omitempty(nullable(labels)),
  Runtime: string,
  Isolation: string,
  ...resources.optional,
  Mounts: omitempty(nullable(array(mountRequest))),
  MaskedPaths: nullable(strings),
  ReadonlyPaths: nullable(strings),
  Init: omitempty(nullable(boolean)),
});
export type HostConfig = Infer<typeof hostConfig>;

export const endpointSettings = object({
  IPAMConfig: nullable(object({ IPv4Address: string, IPv6Address: string, LinkLocalIPs: strings })),
  Links: nullable(strings),
  Aliases: nullable(strings),
  MacAddress: string,
  DriverOpts: nullable(labels),
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: integer,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: integer,
  DNSNames: nullable(strings),
});
export type EndpointSettings = Infer<typeof endpointSettings>;

const networkingConfig = object({ EndpointsConfig: nullable(map(endpointSettings)) });
export type NetworkingConfig = Infer<typeof networkingConfig>;

/** POST /containers/create */
export const containerCreateBody = object({
  ...containerConfig.optional,
  HostConfig: hostConfig,
  NetworkingConfig: networkingConfig,
});
export type ContainerCreateBody = Infer<typeof containerCreateBody>;

/**
 * Every field that dockerd has, in its order, with what was set in place. It is written in Go, where every field has a
 * value, and clients read `HostConfig.Privileged` without asking whether it is there.
 */
export const withZeroValues = <T extends { Config: ContainerConfig; HostConfig: HostConfig }>(
  answer: T,
): T => ({
  ...answer,
  Config: { ...zeroOf(containerConfig), ...answer.Config },
  HostConfig: { ...zeroOf(hostConfig), ...answer.HostConfig },
});

export interface ContainerCreated {
  Id: string;
  Warnings: string[];
}

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

export interface ContainerState {
  Status: ContainerStatus;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  /** 0 when it does not run. */
  Pid: number;
  ExitCode: number;
  Error: string;
  /** RFC 3339; '0001-01-01T00:00:00Z' for never. */
  StartedAt: string;
  FinishedAt: string;
  /** State of the health check, where the container has one. */
  Health?: ContainerHealth;
}

export interface ContainerHealth {
  Status: 'starting' | 'healthy' | 'unhealthy';
  /** Number of consecutive failures. */
  FailingStreak: number;
  /** The latest results, oldest first; -1 for a check that was given up. */
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

export interface MountPoint {
  Type: string;
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}

export interface NetworkSettings {
  Bridge: string;
  SandboxID: string;
  SandboxKey: string;
  Ports: PortMap;
  HairpinMode: boolean;
  LinkLocalIPv6Address: string;
  LinkLocalIPv6PrefixLen: number;
  SecondaryIPAddresses: null;
  SecondaryIPv6Addresses: null;
  EndpointID: string;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
  Networks: Record<string, EndpointSettings>;
}

/** GET /containers/ID/json */
export interface ContainerInspect {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: HostConfig;
  GraphDriver: { Name: string; Data: Record<string, string> };
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: MountPoint[];
  Config: ContainerConfig;
  NetworkSettings: NetworkSettings;
}

export interface Port {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: string;
}

/** An element of GET /containers/json */
export interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  Command: string;
  /** Seconds since 1970. */
  Created: number;
  Ports: Port[];
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string>;
  State: ContainerStatus;
  /** For people: 'Up 2 minutes'. */
  Status: string;
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> };
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  Mounts: MountPoint[];
}

/** GET /containers/ID/top */
export interface ContainerTop {
  Titles: string[];
  Processes: string[][];
}

/** An element of GET /containers/ID/changes: 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  Path: string;
  Kind: 0 | 1 | 2;
}

/** POST /containers/ID/update */
export const containerUpdateBody = object({ ...resources.optional, RestartPolicy: restartPolicy });
export type ContainerUpdateBody = Infer<typeof containerUpdateBody>;

/** POST /containers/ID/wait */
export interface ContainerWaited {
  StatusCode: number;
  Error?: { Message: string };
}

/** Base64 of its JSON is the header X-Docker-Container-Path-Stat. */
export interface ContainerPathStat {
  name: string;
  size: number;
  /** Go's os.FileMode: permission bits, and the kind in the high bits (directory 1 << 31, symlink 1 << 27, …). */
  mode: number;
  mtime: string;
  linkTarget: string;
}

/** POST /containers/ID/exec */
export const execCreateBody = object({
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ConsoleSize: nullable(pair),
  DetachKeys: string,
  Tty: boolean,
  Env: nullable(strings),
  Cmd: nullable(strings),
  Privileged: boolean,
  User: string,
  WorkingDir: string,
});
export type ExecCreateBody = Infer<typeof execCreateBody>;

/** POST /exec/ID/start */
export const execStartBody = object({ Detach: boolean, Tty: boolean, ConsoleSize: pair });

/** GET /exec/ID/json */
export interface ExecInspect {
  ID: string;
  ContainerID: string;
  Running: boolean;
  ExitCode: number | null;
  ProcessConfig: {
    entrypoint: string;
    arguments: string[];
    privileged: boolean;
    tty: boolean;
    user?: string;
  };
  OpenStdin: boolean;
  OpenStdout: boolean;
  OpenStderr: boolean;
  CanRemove: boolean;
  DetachKeys: string;
  /** 0 when it does not run. */
  Pid: number;
}

export interface CpuStats {
  cpu_usage: {
    total_usage: number;
    percpu_usage?: number[];
    usage_in_kernelmode: number;
    usage_in_usermode: number;
  };
  system_cpu_usage?: number;
  online_cpus?: number;
  throttling_data: { periods: number; throttled_periods: number; throttled_time: number };
}

export interface BlkioStatEntry {
  major: number;
  minor: number;
  op: string;
  value: number;
}

export interface NetworkStats {
  rx_bytes: number;
  rx_packets: number;
  rx_errors: number;
  rx_dropped: number;
  tx_bytes: number;
  tx_packets: number;
  tx_errors: number;
  tx_dropped: number;
}

/** GET /containers/ID/stats */
export interface ContainerStats {
  name: string;
  id: string;
  read: string;
  preread: string;
  pids_stats: { current?: number; limit?: number };
  blkio_stats: Record<string, BlkioStatEntry[] | null>;
  num_procs: number;
  storage_stats: object;
  cpu_stats: CpuStats;
  precpu_stats: CpuStats;
  memory_stats: {
    usage?: number;
    max_usage?: number;
    stats?: Record<string, number>;
    failcnt?: number;
    limit?: number;
  };
  networks?: Record<string, NetworkStats>;
}
