// The types of what clients send about containers. Only types: whether values make sense is for the engine to say.

import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerResources,
  ContainerUpdateBody,
  DeviceMapping,
  EndpointSettings,
  ExecCreateBody,
  HealthConfig,
  HostConfig,
  MountRequest,
  NetworkingConfig,
  PortBinding,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../formats/engine-api/containers.ts';
import {
  anyObject,
  boolean,
  type Decoder,
  type FieldDecoders,
  integer,
  list,
  map,
  nullable,
  object,
  pair,
  string,
  words,
} from './json-body.ts';

const strings = list(string);
const labels = map(string);

const config: FieldDecoders<ContainerConfig> = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: map(anyObject),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: strings,
  Cmd: words,
  Healthcheck: object<HealthConfig>({
    Test: strings,
    Interval: integer,
    Timeout: integer,
    StartPeriod: integer,
    StartInterval: integer,
    Retries: integer,
  }),
  ArgsEscaped: boolean,
  Image: string,
  Volumes: map(anyObject),
  WorkingDir: string,
  Entrypoint: words,
  NetworkDisabled: boolean,
  MacAddress: string,
  OnBuild: strings,
  Labels: labels,
  StopSignal: string,
  StopTimeout: integer,
  Shell: words,
};

const restartPolicy = object<RestartPolicy>({
  Name: string as Decoder<NonNullable<RestartPolicy['Name']>>,
  MaximumRetryCount: integer,
});

const throttles = list(object<ThrottleDevice>({ Path: string, Rate: integer }));

const resources: FieldDecoders<ContainerResources> = {
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: string,
  BlkioWeight: integer,
  BlkioWeightDevice: list(object<WeightDevice>({ Path: string, Weight: integer })),
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
  Devices: list(
    object<DeviceMapping>({ PathOnHost: string, PathInContainer: string, CgroupPermissions: string }),
  ),
  DeviceCgroupRules: strings,
  DeviceRequests: list(anyObject),
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: integer,
  OomKillDisable: boolean,
  PidsLimit: integer,
  Ulimits: list(object<Ulimit>({ Name: string, Soft: integer, Hard: integer })),
};

const mount = object<MountRequest>({
  Type: string as Decoder<MountRequest['Type']>,
  Source: string,
  Target: string,
  ReadOnly: boolean,
  Consistency: string,
  BindOptions: object<NonNullable<MountRequest['BindOptions']>>({
    Propagation: string,
    NonRecursive: boolean,
    CreateMountpoint: boolean,
    ReadOnlyNonRecursive: boolean,
    ReadOnlyForceRecursive: boolean,
  }),
  VolumeOptions: object<NonNullable<MountRequest['VolumeOptions']>>({
    NoCopy: boolean,
    Labels: labels,
    Subpath: string,
    DriverConfig: object<{ Name?: string; Options?: Record<string, string> }>({
      Name: string,
      Options: labels,
    }),
  }),
  TmpfsOptions: object<NonNullable<MountRequest['TmpfsOptions']>>({
    SizeBytes: integer,
    Mode: integer,
    Options: list(strings),
  }),
});

const hostConfig = object<HostConfig>({
  ...resources,
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: object<NonNullable<HostConfig['LogConfig']>>({ Type: string, Config: labels }),
  NetworkMode: string,
  PortBindings: map(nullable(list(object<PortBinding>({ HostIp: string, HostPort: string })))),
  RestartPolicy: restartPolicy,
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: strings,
  ConsoleSize: pair,
  Annotations: labels,
  CapAdd: words,
  CapDrop: words,
  CgroupnsMode: string,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: string,
  Cgroup: string,
  Links: strings,
  OomScoreAdj: integer,
  PidMode: string,
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: strings,
  StorageOpt: labels,
  Tmpfs: labels,
  UTSMode: string,
  UsernsMode: string,
  IDMappings: object<NonNullable<HostConfig['IDMappings']>>({ UidMap: strings, GidMap: strings }),
  ShmSize: integer,
  Sysctls: labels,
  Runtime: string,
  Isolation: string,
  Mounts: list(mount),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: boolean,
});

export const endpointSettings = object<EndpointSettings>({
  IPAMConfig: object<NonNullable<EndpointSettings['IPAMConfig']>>({
    IPv4Address: string,
    IPv6Address: string,
    LinkLocalIPs: strings,
  }),
  Links: strings,
  Aliases: strings,
  MacAddress: string,
  DriverOpts: labels,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: integer,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: integer,
  DNSNames: strings,
});

export const createBody = object<ContainerCreateBody>({
  ...config,
  HostConfig: hostConfig,
  NetworkingConfig: object<NetworkingConfig>({
    EndpointsConfig: map((value, where) => (value === null ? {} : endpointSettings(value, where))),
  }),
});

/** Whether there is anything of a container in it, beside what belongs to the host. */
export const describesContainer = (body: ContainerCreateBody): boolean =>
  Object.keys(body).some(key => key in config);

/** What an image of the container is to have in place of its own; clients send null for nothing. */
export const commitBody = nullable(object<ContainerConfig>(config));

export const updateBody = object<ContainerUpdateBody>({ ...resources, RestartPolicy: restartPolicy });

export const execBody = object<ExecCreateBody>({
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ConsoleSize: pair,
  DetachKeys: string,
  Tty: boolean,
  Env: strings,
  Cmd: strings,
  Privileged: boolean,
  User: string,
  WorkingDir: string,
});

export interface ExecStartBody {
  Detach?: boolean;
  Tty?: boolean;
  ConsoleSize?: [number, number];
}

export const execStartBody = object<ExecStartBody>({ Detach: boolean, Tty: boolean, ConsoleSize: pair });
