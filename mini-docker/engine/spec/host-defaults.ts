// What a container's HostConfig says where its client said nothing: the daemon's settings, else Docker's defaults.

import { readFileSync } from 'node:fs';
import type { ContainerDefaults } from '../../daemon/options.ts';
import type { HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { checkConfig, restartName } from './check-config.ts';
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from './default-paths.ts';
import { withLxcfs } from './lxcfs.ts';

/** So that `inspect` shows the values in force. */
export function withHostDefaults(
  wanted: HostConfig,
  facts: HostFacts,
  defaults: ContainerDefaults,
): HostConfig {
  const host: HostConfig = withLxcfs(wanted, defaults.lxcfs);
  host.NetworkMode = !wanted.NetworkMode || wanted.NetworkMode === 'default' ? 'bridge' : wanted.NetworkMode;
  host.IpcMode ||= defaults.ipcMode ?? 'private';
  host.CgroupnsMode ||=
    defaults.cgroupnsMode ?? (facts.cgroupVersion === 2 && !wanted.Privileged ? 'private' : 'host');
  host.CgroupParent ||= defaults.cgroupParent ?? '';
  host.ShmSize ||= defaults.shmSize ?? 64 * 1024 * 1024;
  host.Runtime ||= defaults.runtime ?? 'mini-docker';
  host.Init ??= defaults.init ?? null;
  host.RestartPolicy = {
    Name: restartName(wanted.RestartPolicy) as 'no',
    MaximumRetryCount: wanted.RestartPolicy?.MaximumRetryCount ?? 0,
  };
  host.LogConfig = logConfig(wanted, defaults);
  host.Ulimits = withUlimits(wanted.Ulimits ?? null, defaults.ulimits ?? []);
  if ((host.Memory ?? 0) > 0 && !host.MemorySwap) host.MemorySwap = host.Memory! * 2;
  if (!facts.blkioWeight) Object.assign(host, NO_WEIGHTS);
  host.MaskedPaths = wanted.Privileged ? null : (wanted.MaskedPaths ?? defaultMaskedPaths(facts.onlineCpus));
  host.ReadonlyPaths = wanted.Privileged ? null : (wanted.ReadonlyPaths ?? DEFAULT_READONLY_PATHS);
  const options = securityOptions(wanted, defaults);
  if (options.length > 0) host.SecurityOpt = [...(wanted.SecurityOpt ?? []), ...options];
  if (defaults.idMappings && !wanted.IDMappings && wanted.UsernsMode !== 'host')
    host.IDMappings = defaults.idMappings;
  return host;
}

const NO_WEIGHTS = { BlkioWeight: 0, BlkioWeightDevice: [] } satisfies Partial<HostConfig>;

/** As dockerd: a setting that would make every container fail is refused at the start. @throws badParameter */
export function checkHostDefaults(facts: HostFacts, defaults: ContainerDefaults): void {
  checkConfig({}, withHostDefaults({}, facts, defaults), facts);
}

/** As dockerd: the daemon's options hold for its own driver only. */
function logConfig({ LogConfig }: HostConfig, { logDriver = 'json-file', logOptions }: ContainerDefaults) {
  const Type = LogConfig?.Type || logDriver;
  return { Type, Config: { ...(Type === logDriver ? logOptions : {}), ...LogConfig?.Config } };
}

function withUlimits(
  wanted: (HostConfig['Ulimits'] & object) | null,
  defaults: ContainerDefaults['ulimits'] & object,
) {
  const missing = defaults.filter(({ Name }) => !wanted?.some(each => each.Name === Name));
  return missing.length === 0 ? wanted : [...(wanted ?? []), ...missing];
}

function securityOptions(
  { SecurityOpt, Privileged }: HostConfig,
  { noNewPrivileges, seccompProfile }: ContainerDefaults,
): string[] {
  const says = (name: string) => SecurityOpt?.some(option => option.startsWith(name)) === true;
  return [
    ...(noNewPrivileges && !says('no-new-privileges') ? ['no-new-privileges'] : []),
    ...(seccompProfile && !says('seccomp') && !Privileged ? [`seccomp=${profileIn(seccompProfile)}`] : []),
  ];
}

function profileIn(path: string): string {
  if (path === 'unconfined') return path;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw badParameter(`the daemon's seccomp-profile cannot be read: ${(cause as Error).message}`);
  }
}
