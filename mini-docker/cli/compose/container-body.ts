// Turns a service into the body of POST /containers/create.

import { defined, type Loose, unlessEmpty } from '../../formats/defined.ts';
import { decodeDuration } from '../../formats/durations.ts';
import type {
  ContainerCreateBody,
  EndpointSettings,
  HostConfig,
  MountRequest,
} from '../../formats/engine-api/containers.ts';
import type { HealthConfig } from '../../formats/oci/image-config.ts';
import { CommandError } from '../errors.ts';
import { readCpus, readDevice, readPairs, readRestart } from '../flags/values.ts';
import { RECURSIVE } from '../run/mounts.ts';
import { decodeExpose } from '../run/ports.ts';
import { endpoints, linksOf } from './endpoints.ts';
import { archiveOf, filesOf } from './file-contents.ts';
import { LABEL } from './labels.ts';
import type { Mount } from './ports-and-mounts.ts';
import { type Project, serviceHash } from './project.ts';
import type { Service } from './service.ts';

export interface Wanted {
  project: Project;
  /** Name of the service. */
  name: string;
  service: Service;
  containerName: string;
  number: number;
  /** Whether the container is one of `run`. */
  oneOff: boolean;
  /** Whether other containers find this one by the service's name. */
  aliases: boolean;
  /** Id of the image. */
  image: string;
  /** Id of another service's container; undefined when there is none. */
  containerOf(service: string): string | undefined;
  /** Binds for the anonymous volumes of the container that this one replaces. */
  inherited?: readonly string[];
}

/**
 * A container whose body has its first network: before 1.44 the API takes only one; `more` are the others.
 */
export interface ContainerPlan {
  body: ContainerCreateBody;
  more: { network: string; endpoint: EndpointSettings }[];
  /** A tar archive to be unpacked at the container's root. */
  files: Buffer | undefined;
}

export const imageOf = (project: string, name: string, { image }: Service): string =>
  image ?? `${project}-${name}`;

export function planContainer(wanted: Wanted): ContainerPlan {
  const { project, name, service, inherited = [] } = wanted;
  const ports = publishedPorts(service);
  const { binds, mounts, anonymous } = volumes(wanted);
  const [first, ...more] = endpoints(wanted);
  const mode = first?.network ?? sharedMode(service.network_mode ?? 'none', wanted);
  const body = defined<ContainerCreateBody>({
    Hostname: service.hostname ?? '',
    Domainname: service.domainname ?? '',
    User: service.user ?? '',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: service.tty ?? false,
    OpenStdin: service.stdin_open ?? false,
    StdinOnce: false,
    // A name alone takes the image's variable away.
    Env: Object.entries(service.environment ?? {}).map(([key, value]) =>
      value === null ? key : `${key}=${value}`,
    ),
    Cmd: service.command ?? null,
    Entrypoint: service.entrypoint ?? null,
    Image: imageOf(project.name, name, service),
    WorkingDir: service.working_dir ?? '',
    Labels: labels(wanted),
    Volumes: unlessEmpty(anonymous),
    ExposedPorts: unlessEmpty(ports.exposed),
    MacAddress: service.mac_address,
    StopSignal: service.stop_signal,
    StopTimeout: service.stop_grace_period === undefined ? undefined : seconds(service.stop_grace_period),
    Healthcheck: health(service),
    HostConfig: {
      ...hostConfig(wanted),
      Binds: [...binds, ...inherited],
      Mounts: unlessEmpty(mounts),
      PortBindings: ports.bindings,
      NetworkMode: mode,
    },
    NetworkingConfig: { EndpointsConfig: first === undefined ? {} : { [first.network]: first.endpoint } },
  });
  return { body, more, files: archiveOf(project, service) };
}

export const seconds = (duration: string): number => Math.ceil(decodeDuration(duration) / 1e9);

function labels({ project, name, service, number, oneOff, image }: Wanted): Record<string, string> {
  const dependencies = Object.entries(service.depends_on ?? {});
  return {
    ...service.labels,
    [LABEL.project]: project.name,
    [LABEL.service]: name,
    [LABEL.number]: String(number),
    [LABEL.oneOff]: oneOff ? 'True' : 'False',
    [LABEL.hash]: serviceHash(project, service),
    [LABEL.image]: image,
    [LABEL.directory]: project.directory,
    [LABEL.files]: project.files.join(','),
    [LABEL.dependencies]: dependencies
      .map(([other, { condition, restart = false }]) => `${other}:${condition}:${restart}`)
      .join(','),
  };
}

function publishedPorts({ ports = [], expose = [] }: Service) {
  const exposed: Record<string, object> = {};
  const bindings: NonNullable<HostConfig['PortBindings']> = {};
  for (const { target, protocol, host_ip = '', published = '' } of ports) {
    const key = `${target}/${protocol}`;
    exposed[key] = {};
    bindings[key] = [...(bindings[key] ?? []), { HostIp: host_ip, HostPort: published }];
  }
  for (const port of expose.flatMap(decodeExpose)) exposed[port] = {};
  return { exposed, bindings };
}

/** Every daemon knows binds; a mount is used only for options that a bind cannot express. */
function volumes({ project, service }: Wanted) {
  const binds: string[] = [];
  const mounts: MountRequest[] = [];
  const anonymous: Record<string, object> = {};
  for (const mount of service.volumes ?? []) {
    const source =
      mount.type === 'volume' && mount.source !== undefined
        ? project.volumes[mount.source]!.name
        : mount.source;
    const options = bindOptions(mount);
    if (mount.type === 'volume' && source === undefined && options === '') anonymous[mount.target!] = {};
    else if (source !== undefined && options !== undefined)
      binds.push(`${source}:${mount.target}${options && `:${options}`}`);
    else mounts.push(mountRequest(mount, source));
  }
  // uid, gid and mode have no effect: the host's file is mounted with its own.
  // Not a bind, for which the daemon would make a missing file, as a directory.
  for (const { thing, target } of filesOf(project, service))
    if (thing.file !== undefined)
      mounts.push({ Type: 'bind', Source: thing.file, Target: target, ReadOnly: true });
  return { binds, mounts, anonymous };
}

/** The options of a bind, as in `-v`; undefined when only a mount can express them. */
function bindOptions({ type, target, source, read_only, bind, volume, tmpfs }: Mount): string | undefined {
  if (type !== 'bind' && type !== 'volume') return undefined;
  if (type === 'bind' && (bind?.create_host_path !== true || bind.recursive !== undefined)) return undefined;
  if (volume?.subpath ?? volume?.labels ?? volume?.nocopy ?? tmpfs) return undefined;
  // In a bind, a colon would end the path.
  if (target!.includes(':') || source?.includes(':')) return undefined;
  const options = [read_only ? 'ro' : '', bind?.selinux ?? '', bind?.propagation ?? ''];
  return options.filter(each => each !== '').join(',');
}

function mountRequest(
  { type, target, read_only, bind, volume, image, tmpfs, consistency }: Mount,
  source: string | undefined,
): MountRequest {
  return defined<MountRequest>({
    Type: type!,
    Target: target!,
    Source: source,
    ReadOnly: read_only || undefined,
    Consistency: consistency,
    BindOptions: bind && {
      Propagation: bind.propagation,
      CreateMountpoint: bind.create_host_path || undefined,
      ...RECURSIVE[bind.recursive ?? 'enabled'],
    },
    VolumeOptions: volume && {
      NoCopy: volume.nocopy || undefined,
      Subpath: volume.subpath,
      Labels: volume.labels,
    },
    ImageOptions: image?.subpath === undefined ? undefined : { Subpath: image.subpath },
    TmpfsOptions: tmpfs && { SizeBytes: tmpfs.size, Mode: tmpfs.mode },
  });
}

/** `service:db` → the container of that service. */
function sharedMode(mode: string, { containerOf }: Wanted): string {
  const other = /^service:(.+)$/.exec(mode)?.[1];
  if (other === undefined) return mode;
  const id = containerOf(other);
  if (id === undefined)
    throw new CommandError(`there is no container of ${other}, whose ${mode} is to be shared`);
  return `container:${id}`;
}

function volumesFrom({ service, containerOf }: Wanted): string[] {
  return (service.volumes_from ?? []).map(each => {
    const outside = /^container:(.+)$/.exec(each)?.[1];
    if (outside !== undefined) return outside;
    const [other = '', ...mode] = each.split(':');
    const id = containerOf(other);
    if (id === undefined)
      throw new CommandError(`there is no container of ${other}, whose volumes are to be shared`);
    return [id, ...mode].join(':');
  });
}

function health({ healthcheck }: Service): HealthConfig | undefined {
  if (healthcheck === undefined) return undefined;
  if (healthcheck.disable) return { Test: ['NONE'] };
  const time = (written: string | undefined) => (written === undefined ? undefined : decodeDuration(written));
  return defined<HealthConfig>({
    Test: healthcheck.test,
    Interval: time(healthcheck.interval),
    Timeout: time(healthcheck.timeout),
    StartPeriod: time(healthcheck.start_period),
    StartInterval: time(healthcheck.start_interval),
    Retries: healthcheck.retries,
  });
}

function restartPolicy({ restart, deploy }: Service) {
  if (restart !== undefined) return readRestart(restart);
  const { condition, max_attempts = 0 } = deploy?.restart_policy ?? {};
  const names = { none: 'no', 'on-failure': 'on-failure', any: 'always' } as const;
  return condition === undefined
    ? undefined
    : { Name: names[condition], MaximumRetryCount: condition === 'on-failure' ? max_attempts : 0 };
}

function resources(service: Service): Loose<HostConfig> {
  const { limits = {}, reservations = {} } = service.deploy?.resources ?? {};
  const cpus = limits.cpus ?? service.cpus;
  const requests = [
    ...(reservations.devices ?? []),
    ...(service.gpus ?? []).map(each => ({ ...each, capabilities: ['gpu', ...(each.capabilities ?? [])] })),
  ];
  const devices = (service.blkio_config ?? {}) as NonNullable<Service['blkio_config']>;
  const rates = (list: { path?: string; rate?: number }[] = []) =>
    list.map(({ path = '', rate = 0 }) => ({ Path: path, Rate: rate }));
  return {
    NanoCpus: cpus === undefined ? undefined : readCpus(String(cpus)),
    Memory: limits.memory ?? service.mem_limit ?? 0,
    MemoryReservation: reservations.memory ?? service.mem_reservation ?? 0,
    MemorySwap: service.memswap_limit ?? 0,
    MemorySwappiness: service.mem_swappiness,
    CpuPeriod: service.cpu_period ?? 0,
    CpuQuota: service.cpu_quota ?? 0,
    CpuRealtimePeriod: service.cpu_rt_period ?? 0,
    CpuRealtimeRuntime: service.cpu_rt_runtime ?? 0,
    CpuShares: service.cpu_shares ?? 0,
    CpusetCpus: service.cpuset ?? '',
    PidsLimit: limits.pids ?? service.pids_limit,
    OomKillDisable: service.oom_kill_disable,
    BlkioWeight: devices.weight ?? 0,
    BlkioWeightDevice: (devices.weight_device ?? []).map(({ path = '', weight = 0 }) => ({
      Path: path,
      Weight: weight,
    })),
    BlkioDeviceReadBps: rates(devices.device_read_bps),
    BlkioDeviceReadIOps: rates(devices.device_read_iops),
    BlkioDeviceWriteBps: rates(devices.device_write_bps),
    BlkioDeviceWriteIOps: rates(devices.device_write_iops),
    Devices: (service.devices ?? []).map(readDevice),
    DeviceCgroupRules: service.device_cgroup_rules ?? [],
    DeviceRequests: unlessEmpty(
      requests.map(({ driver = '', count, device_ids = [], capabilities = [], options = {} }) => ({
        Driver: driver,
        Count: count ?? (device_ids.length > 0 ? 0 : -1),
        DeviceIDs: device_ids,
        Capabilities: [capabilities],
        Options: options,
      })),
    ),
    Ulimits: Object.entries(service.ulimits ?? {}).map(([Name, { soft, hard }]) => ({
      Name,
      Soft: soft,
      Hard: hard,
    })),
  };
}

function hostConfig(wanted: Wanted): Loose<HostConfig> {
  const { service } = wanted;
  return {
    ...resources(service),
    RestartPolicy: restartPolicy(service) as HostConfig['RestartPolicy'],
    Privileged: service.privileged ?? false,
    ReadonlyRootfs: service.read_only ?? false,
    CapAdd: service.cap_add ?? [],
    CapDrop: service.cap_drop ?? [],
    CgroupParent: service.cgroup_parent ?? '',
    CgroupnsMode: service.cgroup ?? '',
    Dns: service.dns ?? [],
    DnsOptions: service.dns_opt ?? [],
    DnsSearch: service.dns_search ?? [],
    ExtraHosts: service.extra_hosts ?? [],
    GroupAdd: service.group_add ?? [],
    IpcMode: sharedMode(service.ipc ?? '', wanted),
    PidMode: sharedMode(service.pid ?? '', wanted),
    UTSMode: service.uts ?? '',
    UsernsMode: service.userns_mode ?? '',
    Links: linksOf(wanted),
    LogConfig: { Type: service.logging?.driver ?? '', Config: service.logging?.options ?? {} },
    OomScoreAdj: service.oom_score_adj ?? 0,
    SecurityOpt: service.security_opt ?? [],
    ShmSize: service.shm_size ?? 0,
    StorageOpt: service.storage_opt ?? {},
    Sysctls: service.sysctls ?? {},
    Tmpfs: readPairs(service.tmpfs ?? [], ':'),
    VolumesFrom: volumesFrom(wanted),
    Annotations: service.annotations,
    Init: service.init,
    Runtime: service.runtime,
    Isolation: service.isolation,
  };
}
