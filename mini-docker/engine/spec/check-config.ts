// Validates a request for a container before anything is made, and reports every fault that can be known by
// then.

import type { ContainerConfig, HostConfig, RestartPolicy } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import { isTooLong, tooLong } from '../../formats/path-length.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { signalNumber } from '../core/signals.ts';
import { checkIdMappings, idMappings } from '../state/id-mappings.ts';
import { containerCapabilities } from './capabilities.ts';
import { checkPorts, decodeExtraHost } from './check-network.ts';
import { checkResources, checkShmSize } from './check-resources.ts';
import { decodeDeviceRule } from './devices.ts';
import { decodeLogOptions } from './log-options.ts';
import { seccompOf } from './spec.ts';
import { containerSysctls } from './sysctls.ts';

/** @throws badParameter (or notImplemented) when a field is invalid */
export function checkConfig(config: ContainerConfig, host: HostConfig, facts: HostFacts): void {
  for (const assignment of config.Env ?? []) {
    if (assignment === '' || assignment.startsWith('=')) {
      throw badParameter(`invalid environment variable: ${assignment}`);
    }
  }
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    throw badParameter(
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  for (const path of [
    config.WorkingDir ?? '',
    ...(host.Devices ?? []).map(device => device.PathInContainer ?? ''),
  ])
    if (isTooLong(path)) throw badParameter(tooLong(path));
  if ((config.Hostname ?? '').length > 64) {
    throw badParameter(
      `invalid hostname ${config.Hostname}: it has more than 64 characters (sethostname(2))`,
    );
  }
  // Each becomes a part of a line of /etc/hosts, hostname or resolv.conf.
  const inLines = {
    hostname: [config.Hostname],
    domainname: [config.Domainname],
    dns: [...(host.DnsSearch ?? []), ...(host.DnsOptions ?? [])],
  };
  for (const [what, values] of Object.entries(inLines))
    for (const value of values)
      if (/\p{Cc}/u.test(value ?? ''))
        throw badParameter(`invalid ${what} ${JSON.stringify(value)}: it has a control character in it`);
  if (config.StopSignal) signalNumber(config.StopSignal);
  if (host.AutoRemove && restartName(host.RestartPolicy) !== 'no') {
    throw badParameter("can't create 'AutoRemove' container with restart policy");
  }
  checkRestartPolicy(host.RestartPolicy);
  checkNamespaces(host);
  checkHealthcheck(config.Healthcheck);
  checkPorts(host.PortBindings ?? {});
  for (const entry of host.ExtraHosts ?? []) decodeExtraHost(entry);
  checkIdMappings(host);
  if (facts.rootless && host.IDMappings && idMappings(host) !== undefined)
    throw badParameter(
      '--uidmap and --gidmap need root: the kernel shifts the owners of files for root only',
    );
  checkResources(host, facts);
  checkShmSize(host);
  decodeLogOptions(host);
  containerSysctls(host);
  for (const rule of host.DeviceCgroupRules ?? []) decodeDeviceRule(rule);
  const capabilities = containerCapabilities({
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    privileged: host.Privileged === true,
    available: facts.capabilities,
  });
  seccompOf(host, { facts, capabilities });
  checkRanges(host);
}

export function checkRestartPolicy(policy: RestartPolicy | undefined): void {
  const name = restartName(policy);
  const count = policy?.MaximumRetryCount ?? 0;
  if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(name)) {
    throw badParameter(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (name !== 'on-failure' && count !== 0) {
    throw badParameter("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (count < 0) throw badParameter('invalid restart policy: maximum retry count cannot be negative');
}

export function restartName(policy: RestartPolicy | undefined): string {
  return policy?.Name || 'no';
}

/** The names of --runtime, ours first. Clients and compose files ask for Docker's by name. */
export const RUNTIMES: readonly string[] = ['mini-docker', 'io.containerd.runc.v2', 'runc'];

function checkNamespaces(host: HostConfig): void {
  const allowed: [string, string | undefined, RegExp][] = [
    ['PID mode', host.PidMode, /^(host|container:.+)?$/],
    ['IPC mode', host.IpcMode, /^(none|private|shareable|host|container:.+)?$/],
    ['UTS mode', host.UTSMode, /^(host)?$/],
    ['cgroup namespace mode', host.CgroupnsMode, /^(private|host)?$/],
    // The control group of another container cannot be joined: --cgroup-parent names a parent for a new one.
    ['cgroup', host.Cgroup, /^$/],
  ];
  if (Object.keys(host.Annotations ?? {}).includes(''))
    throw badParameter('invalid Annotations: the empty string is not permitted as an annotation key');
  if (/^container(:\s*)?$/.test(host.NetworkMode ?? '')) {
    throw badParameter('invalid network mode: invalid container format container:<name|id>');
  }
  for (const [what, mode, pattern] of allowed) {
    if (!pattern.test(mode ?? '')) throw badParameter(`invalid ${what}: ${mode}`);
  }
  if (host.UsernsMode && host.UsernsMode !== 'host') {
    throw badParameter(`invalid user namespace mode: ${host.UsernsMode} (this engine has 'host' only)`);
  }
  if (Object.keys(host.StorageOpt ?? {}).length > 0) {
    throw badParameter('--storage-opt is not supported: the writable layer has no limit of its own');
  }
  if (host.Isolation && host.Isolation !== 'default') {
    throw badParameter(
      `Invalid isolation: ${JSON.stringify(host.Isolation)} - linux only supports 'default'`,
    );
  }
  if (host.Runtime && !RUNTIMES.includes(host.Runtime)) {
    throw badParameter(`unknown or invalid runtime name: ${host.Runtime}`);
  }
}

/** A check that repeats without a pause would keep the machine busy. */
function checkHealthcheck(health: ContainerConfig['Healthcheck']): void {
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const nanoseconds = health?.[field] ?? 0;
    if (nanoseconds !== 0 && nanoseconds < 1e6)
      throw badParameter(`${field} in Healthcheck cannot be less than 1ms`);
  }
  if ((health?.Retries ?? 0) < 0) throw badParameter('Retries in Healthcheck cannot be negative');
}

function checkRanges(host: HostConfig): void {
  const score = host.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) {
    throw badParameter(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  }
}
