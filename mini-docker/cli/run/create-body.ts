// Builds the body of POST /containers/create from the flags of `run` and `create`. Reads the files that flags
// name.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defined, type Loose, unlessEmpty } from '../../formats/defined.ts';
import type { ContainerCreateBody, HostConfig } from '../../formats/engine-api/containers.ts';
import type { HealthConfig } from '../../formats/oci/image-config.ts';
import { beforeProgram, CommandError, fileReason } from '../errors.ts';
import { decodeEnvFile } from '../flags/env-file.ts';
import { readDevice, readPairs, readRestart } from '../flags/values.ts';
import type { CreateFlags } from './create-flags.ts';
import { decodeMount, decodeVolume } from './mounts.ts';
import { endpoints } from './networks.ts';
import { decodeExpose, decodePublish } from './ports.ts';

export interface CreateRequest {
  flags: CreateFlags;
  image: string;
  command: string[];
  environment: NodeJS.ProcessEnv;
}

/** @throws CommandError (exit code 125) when flags conflict or a file cannot be read */
export function createBody(request: CreateRequest): ContainerCreateBody {
  try {
    return body(request);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw beforeProgram((cause as Error).message, cause);
  }
}

function body({ flags, image, command, environment }: CreateRequest): ContainerCreateBody {
  const attach = flags.attach.map(each => each.toLowerCase());
  for (const each of attach) {
    if (!['stdin', 'stdout', 'stderr'].includes(each)) {
      throw beforeProgram(
        `invalid argument "${each}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`,
      );
    }
  }
  const { ports, bindings } = publishedPorts(flags);
  const { binds, anonymous } = volumes(flags);
  const network = endpoints(flags);
  return defined<ContainerCreateBody>({
    Hostname: flags.hostname ?? '',
    Domainname: flags.domainname ?? '',
    User: flags.user ?? '',
    AttachStdin: flags.interactive || attach.includes('stdin'),
    AttachStdout: attach.length === 0 || attach.includes('stdout'),
    AttachStderr: attach.length === 0 || attach.includes('stderr'),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive,
    Env: variables(flags, environment),
    Cmd: command.length === 0 ? null : command,
    Image: image,
    WorkingDir: flags.workdir ?? '',
    Entrypoint: flags.entrypoint === undefined ? null : [flags.entrypoint],
    Labels: labels(flags, environment),
    Volumes: unlessEmpty(anonymous),
    ExposedPorts: unlessEmpty(ports),
    MacAddress: flags['mac-address'],
    StopSignal: flags['stop-signal'],
    StopTimeout: flags['stop-timeout'],
    Healthcheck: health(flags),
    HostConfig: { ...hostConfig(flags), Binds: binds, PortBindings: bindings, NetworkMode: network.mode },
    NetworkingConfig: { EndpointsConfig: network.endpoints },
  });
}

function variables(flags: CreateFlags, environment: NodeJS.ProcessEnv): string[] {
  const fromFiles = flags['env-file'].flatMap(file =>
    decodeEnvFile(readBytes(file), key => environment[key]),
  );
  return [...fromFiles, ...ownVariables(flags.env, environment)];
}

/** `-e KEY=value`, or `-e KEY` for the value in the command's environment; an unset variable is left out. */
export function ownVariables(env: readonly string[], environment: NodeJS.ProcessEnv): string[] {
  return env.flatMap(each => {
    if (each === '' || each.startsWith('=')) throw beforeProgram(`invalid environment variable: ${each}`);
    if (each.includes('=')) return [each];
    const value = environment[each];
    return value === undefined ? [] : [`${each}=${value}`];
  });
}

function labels(flags: CreateFlags, environment: NodeJS.ProcessEnv): Record<string, string> {
  const fromFiles = flags['label-file'].flatMap(file =>
    decodeEnvFile(readBytes(file), key => environment[key] ?? ''),
  );
  return readPairs([...fromFiles, ...flags.label]);
}

export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw beforeProgram(`open ${file}: ${fileReason(cause)}`);
  }
}

function publishedPorts(flags: CreateFlags) {
  const ports: Record<string, object> = {};
  const bindings: NonNullable<HostConfig['PortBindings']> = {};
  for (const { port, binding } of flags.publish.flatMap(decodePublish)) {
    ports[port] = {};
    bindings[port] = [...(bindings[port] ?? []), binding];
  }
  for (const port of flags.expose.flatMap(decodeExpose)) ports[port] = {};
  return { ports, bindings };
}

function volumes(flags: CreateFlags) {
  const binds: string[] = [];
  const anonymous: Record<string, object> = {};
  for (const each of flags.volume) {
    const volume = decodeVolume(each, path => resolve(path));
    if ('bind' in volume) binds.push(volume.bind);
    else anonymous[volume.anonymous] = {};
  }
  return { binds, anonymous };
}

function health(flags: CreateFlags): HealthConfig | undefined {
  const config = defined<HealthConfig>({
    Test: flags['health-cmd'] ? ['CMD-SHELL', flags['health-cmd']] : undefined,
    Interval: flags['health-interval'],
    Timeout: flags['health-timeout'],
    StartPeriod: flags['health-start-period'],
    StartInterval: flags['health-start-interval'],
    Retries: flags['health-retries'],
  });
  if (flags['no-healthcheck']) {
    if (unlessEmpty(config)) throw beforeProgram('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  for (const [name, number] of Object.entries(config)) {
    if (typeof number === 'number' && number < 0)
      throw beforeProgram(`--health-${name.toLowerCase()} cannot be negative`);
  }
  return unlessEmpty(config);
}

function namespaces(flags: CreateFlags) {
  const check = (flag: 'pid' | 'uts' | 'userns' | 'cgroupns', pattern: RegExp, kind: string) => {
    const mode = flags[flag] ?? '';
    if (!pattern.test(mode)) throw beforeProgram(`--${flag}: invalid ${kind} mode`);
    return mode;
  };
  return {
    PidMode: check('pid', /^(|host|container:.+)$/, 'PID'),
    UTSMode: check('uts', /^(|host|container:.+)$/, 'UTS'),
    UsernsMode: check('userns', /^(|host)$/, 'USER'),
    CgroupnsMode: check('cgroupns', /^(|host|private)$/, 'CGROUP'),
    IpcMode: flags.ipc ?? '',
    IDMappings:
      flags.uidmap.length + flags.gidmap.length > 0
        ? { UidMap: flags.uidmap, GidMap: flags.gidmap }
        : undefined,
  };
}

/** The limits that `update` can change, too. */
export function resources(flags: Pick<CreateFlags, keyof typeof import('./create-flags.ts').RESOURCE_FLAGS>) {
  return {
    BlkioWeight: flags['blkio-weight'] ?? 0,
    CpuPeriod: flags['cpu-period'] ?? 0,
    CpuQuota: flags['cpu-quota'] ?? 0,
    CpuRealtimePeriod: flags['cpu-rt-period'] ?? 0,
    CpuRealtimeRuntime: flags['cpu-rt-runtime'] ?? 0,
    CpuShares: flags['cpu-shares'] ?? 0,
    NanoCpus: flags.cpus ?? 0,
    CpusetCpus: flags['cpuset-cpus'] ?? '',
    CpusetMems: flags['cpuset-mems'] ?? '',
    Memory: flags.memory ?? 0,
    MemoryReservation: flags['memory-reservation'] ?? 0,
    MemorySwap: flags['memory-swap'] ?? 0,
    PidsLimit: flags['pids-limit'],
  };
}

function hostConfig(flags: CreateFlags): Loose<HostConfig> {
  const restart = readRestart(flags.restart ?? '');
  if (flags.rm && !/^(no)?$/.test(restart.Name)) {
    throw beforeProgram('conflicting options: cannot specify both --restart and --rm');
  }
  const swappiness = flags['memory-swappiness'];
  if (swappiness !== undefined && (swappiness < -1 || swappiness > 100)) {
    throw beforeProgram(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  return {
    ...resources(flags),
    ...namespaces(flags),
    ...security(flags),
    RestartPolicy: restart as NonNullable<HostConfig['RestartPolicy']>,
    AutoRemove: flags.rm,
    Privileged: flags.privileged,
    ReadonlyRootfs: flags['read-only'],
    PublishAllPorts: flags['publish-all'],
    BlkioWeightDevice: flags['blkio-weight-device'],
    BlkioDeviceReadBps: flags['device-read-bps'],
    BlkioDeviceReadIOps: flags['device-read-iops'],
    BlkioDeviceWriteBps: flags['device-write-bps'],
    BlkioDeviceWriteIOps: flags['device-write-iops'],
    CapAdd: flags['cap-add'],
    CapDrop: flags['cap-drop'],
    CgroupParent: flags['cgroup-parent'] ?? '',
    ContainerIDFile: flags.cidfile ?? '',
    Devices: flags.device.map(readDevice),
    DeviceCgroupRules: flags['device-cgroup-rule'].map(checkDeviceRule),
    Dns: flags.dns,
    DnsOptions: flags['dns-option'],
    DnsSearch: flags['dns-search'],
    ExtraHosts: flags['add-host'],
    GroupAdd: flags['group-add'],
    Links: flags.link.map(each => (each.includes(':') ? each : `${each}:${each}`)),
    LogConfig: { Type: flags['log-driver'] ?? '', Config: logOptions(flags) },
    OomScoreAdj: flags['oom-score-adj'] ?? 0,
    ShmSize: flags['shm-size'] ?? 0,
    StorageOpt: readPairs(flags['storage-opt']),
    Sysctls: readPairs(flags.sysctl),
    Tmpfs: readPairs(flags.tmpfs, ':'),
    Ulimits: flags.ulimit,
    VolumeDriver: flags['volume-driver'] ?? '',
    VolumesFrom: flags['volumes-from'],
    Mounts: unlessEmpty(flags.mount.map(each => decodeMount(each, path => resolve(path)))),
    Annotations: unlessEmpty({
      ...readPairs(flags.annotation),
      ...(flags.lxcfs && { 'mini-docker.lxcfs': 'true' }),
    }),
    Init: flags.init,
    Runtime: flags.runtime,
    DeviceRequests: flags.gpus && [flags.gpus],
    Isolation: flags.isolation,
    MemorySwappiness: swappiness === -1 ? undefined : swappiness,
    OomKillDisable: flags['oom-kill-disable'],
  };
}

function checkDeviceRule(rule: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(rule)) {
    throw beforeProgram(
      `invalid argument ${JSON.stringify(rule)} for "--device-cgroup-rule" flag: invalid device cgroup format '${rule}'`,
    );
  }
  return rule;
}

function logOptions(flags: CreateFlags): Record<string, string> {
  const bad = flags['log-opt'].find(each => !each.includes('='));
  if (bad !== undefined)
    throw beforeProgram(`invalid argument ${JSON.stringify(bad)} for "--log-opt" flag: must be KEY=VALUE`);
  if (flags['log-driver'] === 'none' && flags['log-opt'].length > 0) {
    throw beforeProgram('invalid logging opts for driver none');
  }
  return readPairs(flags['log-opt']);
}

/** The text of a seccomp profile is sent, because the daemon may not see the client's files. */
function security(flags: CreateFlags): HostConfig {
  const options: string[] = [];
  let open = false;
  for (const option of flags['security-opt']) {
    if (option === 'systempaths=unconfined') {
      open = true;
      continue;
    }
    const [, name, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    if (name === undefined && option !== 'no-new-privileges')
      throw beforeProgram(`Invalid --security-opt: ${JSON.stringify(option)}`);
    if (name === 'seccomp' && value !== 'unconfined' && value !== 'builtin') {
      const profile = readProfile(value!);
      options.push(`seccomp=${profile}`);
    } else options.push(option);
  }
  return { SecurityOpt: options, ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}) };
}

function readProfile(file: string): string {
  let text: string;
  try {
    text = readBytes(file).toString();
  } catch (cause) {
    throw beforeProgram(`opening seccomp profile (${file}) failed: ${(cause as Error).message}`);
  }
  try {
    JSON.parse(text);
    // Only whitespace is removed: parsing would lose digits of 64-bit numbers.
    return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, word: string | undefined) => word ?? '');
  } catch (cause) {
    throw beforeProgram(`compacting json for seccomp profile (${file}) failed: ${(cause as Error).message}`);
  }
}
