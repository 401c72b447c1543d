// What a container's HostConfig says where its client said nothing.

import type { HostConfig } from '../../formats/engine-api/containers.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { restartName } from './check-config.ts';
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from './default-paths.ts';

/** Adds Docker's defaults, so that `inspect` shows the values in force. */
export function withHostDefaults(wanted: HostConfig, facts: HostFacts): HostConfig {
  const host: HostConfig = { ...wanted };
  host.NetworkMode = !wanted.NetworkMode || wanted.NetworkMode === 'default' ? 'bridge' : wanted.NetworkMode;
  host.IpcMode ||= 'private';
  host.CgroupnsMode ||= facts.cgroupVersion === 2 && !wanted.Privileged ? 'private' : 'host';
  host.ShmSize ||= 64 * 1024 * 1024;
  host.Runtime ||= 'mini-docker';
  host.RestartPolicy = {
    Name: restartName(wanted.RestartPolicy) as 'no',
    MaximumRetryCount: wanted.RestartPolicy?.MaximumRetryCount ?? 0,
  };
  host.LogConfig = { Type: wanted.LogConfig?.Type || 'json-file', Config: wanted.LogConfig?.Config ?? {} };
  if ((host.Memory ?? 0) > 0 && !host.MemorySwap) host.MemorySwap = host.Memory! * 2;
  host.MaskedPaths = wanted.Privileged ? null : (wanted.MaskedPaths ?? defaultMaskedPaths(facts.onlineCpus));
  host.ReadonlyPaths = wanted.Privileged ? null : (wanted.ReadonlyPaths ?? DEFAULT_READONLY_PATHS);
  return host;
}
