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
const booleans = 'NetworkDisabled ArgsEscaped';
const numbers = 'KernelMemory KernelMemoryTCP IOMaximumIOps IOMaximumBandwidth VirtualSize';

const entries = (names: string, kind: 'list' | 'map' | 'nil') =>
  names.split(' ').map(name => [name, kind] as const);

const zeros = (names: string, zero: unknown) =>
  Object.fromEntries(names.split(' ').map(name => [name, zero]));

export const INSPECT_OPTIONS: TemplateOptions = {
  aliases: { ID: 'Id', HostIP: 'HostIp', OS: 'Os', NanoCPUs: 'NanoCpus' },
  zero: { ...zeros(strings, ''), ...zeros(booleans, false), ...zeros(numbers, 0) },
  // The Config of a container and of an image is a struct, that of a log driver a map.
  mapBeside: { Config: 'Type' },
  nil: Object.fromEntries([...entries(lists, 'list'), ...entries(maps, 'map'), ...entries(nils, 'nil')]),
  structs: [
    [
      ['Hostname', ''],
      ['Domainname', ''],
      ['User', ''],
      ['AttachStdin', false],
      ['AttachStdout', false],
      ['AttachStderr', false],
      ['ExposedPorts', NIL_MAP],
      ['Tty', false],
      ['OpenStdin', false],
      ['StdinOnce', false],
      ['Env', NIL_LIST],
      ['Cmd', NIL_LIST],
      ['Healthcheck', null],
      ['ArgsEscaped', false],
      ['Image', ''],
      ['Volumes', NIL_MAP],
      ['WorkingDir', ''],
      ['Entrypoint', NIL_LIST],
      ['NetworkDisabled', false],
      ['MacAddress', ''],
      ['OnBuild', NIL_LIST],
      ['Labels', NIL_MAP],
      ['StopSignal', ''],
      ['StopTimeout', null],
      ['Shell', NIL_LIST],
    ],
    [['LastTagTime', '']],
    [
      ['Name', ''],
      ['Data', NIL_MAP],
    ],
    [
      ['HostIp', ''],
      ['HostPort', ''],
    ],
    [
      ['Type', ''],
      ['Name', ''],
      ['Source', ''],
      ['Destination', ''],
      ['Driver', ''],
      ['Mode', ''],
      ['RW', false],
      ['Propagation', ''],
    ],
    [
      ['Status', ''],
      ['Running', false],
      ['Paused', false],
      ['Restarting', false],
      ['OOMKilled', false],
      ['Dead', false],
      ['Pid', 0],
      ['ExitCode', 0],
      ['Error', ''],
      ['StartedAt', ''],
      ['FinishedAt', ''],
      ['Health', null],
    ],
    [
      ['Name', ''],
      ['MaximumRetryCount', 0],
    ],
    [
      ['Type', ''],
      ['Config', NIL_MAP],
    ],
    [
      ['Type', ''],
      ['Layers', NIL_LIST],
    ],
    [
      ['Driver', ''],
      ['Options', NIL_MAP],
      ['Config', NIL_LIST],
    ],
    [
      ['Subnet', ''],
      ['IPRange', ''],
      ['Gateway', ''],
      ['AuxiliaryAddresses', NIL_MAP],
    ],
    [['Network', '']],
    [
      ['PathOnHost', ''],
      ['PathInContainer', ''],
      ['CgroupPermissions', ''],
    ],
  ],
};
