// How `inspect --format` sees what the daemon sends: which fields Go keeps as nil lists and maps, and which objects
// are structs there. The daemon's JSON does not tell.

import type { TemplateOptions } from '../../formats/go-template/go-template.ts';

const lists =
  'Binds CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links SecurityOpt VolumesFrom Devices DeviceCgroupRules DeviceRequests Ulimits BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps Mounts MaskedPaths ReadonlyPaths Cmd Entrypoint Env OnBuild Shell ExecIDs Args Aliases DNSNames SecondaryIPAddresses SecondaryIPv6Addresses RepoTags RepoDigests Layers';
const maps =
  'Labels Volumes ExposedPorts PortBindings Ports Networks Tmpfs Sysctls StorageOpt Annotations DriverOpts Options Config Containers Data';
const nils =
  'Health Healthcheck Init MemorySwappiness OomKillDisable PidsLimit StopTimeout StopSignal SizeRw SizeRootFs IPAMConfig GraphDriver Status UsageData';

const entries = (names: string, kind: 'list' | 'map' | 'nil') =>
  names.split(' ').map(name => [name, kind] as const);

export const INSPECT_OPTIONS: TemplateOptions = {
  aliases: { ID: 'Id', HostIP: 'HostIp', OS: 'Os' },
  nil: Object.fromEntries([...entries(lists, 'list'), ...entries(maps, 'map'), ...entries(nils, 'nil')]),
  structs: [
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
      ['PathOnHost', ''],
      ['PathInContainer', ''],
      ['CgroupPermissions', ''],
    ],
  ],
};
