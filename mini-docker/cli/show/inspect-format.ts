// The Go types behind `inspect --format`: the fields that Go keeps as nil lists and maps, and the objects
// that are structs. The daemon's JSON does not show them.

import { NIL_LIST, NIL_MAP } from '../../formats/go-template/format.ts';
import type { TemplateOptions } from '../../formats/go-template/go-template.ts';

const lists =
  'Binds CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links SecurityOpt VolumesFrom Devices DeviceCgroupRules DeviceRequests Ulimits BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps Mounts MaskedPaths ReadonlyPaths Cmd Entrypoint Env OnBuild Shell ExecIDs Args Aliases DNSNames SecondaryIPAddresses SecondaryIPv6Addresses RepoTags RepoDigests Layers Manifests Peers';
const maps =
  'Labels Volumes ExposedPorts PortBindings Ports Networks Tmpfs Sysctls StorageOpt Annotations DriverOpts Options Config Containers Data Services Status';
const nils =
  'Health Healthcheck Init MemorySwappiness OomKillDisable PidsLimit StopTimeout SizeRw SizeRootFs IPAMConfig GraphDriver UsageData ImageManifestDescriptor Descriptor ContainerConfig ClusterVolume';
const strings =
  'StopSignal MacAddress Domainname Hostname Name Driver Variant OsVersion Container Comment Author Parent VolumeDriver Subnet IPRange Gateway';
const booleans = 'NetworkDisabled ArgsEscaped AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce';
const numbers =
  'KernelMemory KernelMemoryTCP CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth VirtualSize';

const entries = (names: string, kind: 'list' | 'map' | 'nil') =>
  names.split(' ').map(name => [name, kind] as const);

const zeros = (names: string, zero: unknown) =>
  Object.fromEntries(names.split(' ').map(name => [name, zero]));

const ZERO: Record<string, unknown> = {
  ...zeros(strings, ''),
  ...zeros(booleans, false),
  ...zeros(numbers, 0),
};
const NIL = Object.fromEntries([...entries(lists, 'list'), ...entries(maps, 'map'), ...entries(nils, 'nil')]);
const NIL_VALUES = { list: NIL_LIST, map: NIL_MAP, nil: null };

/** Fields in Go's order, with the zero values from above. @param own other zero values, for this struct alone */
const fields = (names: string, own: Record<string, unknown> = {}): (readonly [string, unknown])[] =>
  names.split(' ').map(name => {
    if (Object.hasOwn(own, name)) return [name, own[name]];
    return [name, Object.hasOwn(NIL, name) ? NIL_VALUES[NIL[name]!] : (ZERO[name] ?? '')];
  });

export const INSPECT_OPTIONS: TemplateOptions = {
  aliases: { ID: 'Id', HostIP: 'HostIp', OS: 'Os', NanoCPUs: 'NanoCpus' },
  zero: ZERO,
  // The Config of a container and of an image is a struct, that of a log driver a map.
  mapBeside: { Config: 'Type' },
  nil: NIL,
  structs: [
    fields(
      'Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Healthcheck ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels StopSignal StopTimeout Shell',
    ),
    [
      ...fields(
        'Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls Runtime Isolation',
      ),
      fields(
        'CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests KernelMemory KernelMemoryTCP MemoryReservation MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth',
      ),
      ...fields('Mounts MaskedPaths ReadonlyPaths Init'),
    ],
    [
      fields(
        'Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses SecondaryIPv6Addresses',
      ),
      fields(
        'EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress',
      ),
      ...fields('Networks'),
    ],
    fields('LastTagTime'),
    fields('Data Name'),
    fields('HostIp HostPort'),
    fields('Type Name Source Destination Driver Mode RW Propagation', { RW: false }),
    fields('Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt Health', {
      ...zeros('Running Paused Restarting OOMKilled Dead', false),
      Pid: 0,
      ExitCode: 0,
      Status: '',
    }),
    fields('Name MaximumRetryCount', { MaximumRetryCount: 0 }),
    fields('Type Config'),
    fields('Type Layers'),
    fields('Driver Options Config', { Config: NIL_LIST }),
    fields('Subnet IPRange Gateway AuxiliaryAddresses', { AuxiliaryAddresses: NIL_MAP }),
    fields('Network'),
    fields('PathOnHost PathInContainer CgroupPermissions'),
  ],
};
