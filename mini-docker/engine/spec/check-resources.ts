// Validates limits before anything is made, with Docker's messages.

import type { ContainerResources, HostConfig } from '../../formats/engine-api/containers.ts';
import { badParameter } from '../../formats/errors.ts';
import type { HostFacts } from '../core/host-facts.ts';
import { decodeCpuList } from './cpu-list.ts';

/** Bytes; a container with less cannot even start. */
const LEAST_MEMORY = 6 * 1024 * 1024;

export function checkResources(limits: ContainerResources, facts: HostFacts): void {
  checkMemory(limits);
  checkCpu(limits, facts);
  const weight = limits.BlkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) {
    throw badParameter('Range of blkio weight is from 10 to 1000');
  }
  for (const { Name, Soft, Hard } of limits.Ulimits ?? []) {
    if (Soft > Hard && Hard !== -1) {
      throw badParameter(`ulimit ${Name}: the soft limit ${Soft} is above the hard limit ${Hard}`);
    }
  }
  refuseWithoutGroups(limits, facts);
  const [request] = limits.DeviceRequests ?? [];
  if (request !== undefined) {
    const { Driver = '', Capabilities } = request;
    const wanted = (Capabilities ?? []).map(each => `[${each.join(' ')}]`).join(' ');
    throw badParameter(
      `could not select device driver ${JSON.stringify(Driver)} with capabilities: [${wanted}]`,
    );
  }
}

/** Limits that need a control group, with their flags. */
const GROUP_LIMITS: Partial<Record<keyof ContainerResources, string>> = {
  Memory: '--memory',
  MemorySwap: '--memory-swap',
  MemoryReservation: '--memory-reservation',
  MemorySwappiness: '--memory-swappiness',
  OomKillDisable: '--oom-kill-disable',
  NanoCpus: '--cpus',
  CpuQuota: '--cpu-quota',
  CpuPeriod: '--cpu-period',
  CpuShares: '--cpu-shares',
  CpusetCpus: '--cpuset-cpus',
  CpusetMems: '--cpuset-mems',
  PidsLimit: '--pids-limit',
  CgroupParent: '--cgroup-parent',
  BlkioWeight: '--blkio-weight',
  BlkioWeightDevice: '--blkio-weight-device',
  BlkioDeviceReadBps: '--device-read-bps',
  BlkioDeviceWriteBps: '--device-write-bps',
  BlkioDeviceReadIOps: '--device-read-iops',
  BlkioDeviceWriteIOps: '--device-write-iops',
};

/** @throws badParameter that names the limits, where this daemon may make no control group */
function refuseWithoutGroups(limits: ContainerResources, { noLimits }: HostFacts): void {
  if (noLimits === undefined) return;
  const asked = Object.entries(GROUP_LIMITS).flatMap(([field, flag]) => {
    const value = limits[field as keyof ContainerResources];
    const isSet = typeof value === 'number' ? value > 0 : Array.isArray(value) ? value.length > 0 : !!value;
    return isSet ? [flag] : [];
  });
  if (asked.length > 0) throw badParameter(`cannot set ${asked.join(', ')}: ${noLimits.reason}`);
}

export function checkShmSize(host: HostConfig): void {
  if ((host.ShmSize ?? 0) < 0) throw badParameter('SHM size can not be less than 0');
}

function checkMemory(limits: ContainerResources): void {
  const memory = limits.Memory ?? 0;
  const swap = limits.MemorySwap ?? 0;
  const reservation = limits.MemoryReservation ?? 0;
  const swappiness = limits.MemorySwappiness ?? -1;
  if (memory !== 0 && memory < LEAST_MEMORY) throw badParameter('Minimum memory limit allowed is 6MB');
  if (memory > 0 && swap > 0 && swap < memory) {
    throw badParameter('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && swap > 0) {
    throw badParameter('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (swappiness < -1 || swappiness > 100) {
    throw badParameter(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (reservation !== 0 && reservation < LEAST_MEMORY) {
    throw badParameter('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memory < reservation) {
    throw badParameter('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu(limits: ContainerResources, facts: HostFacts): void {
  const nano = limits.NanoCpus ?? 0;
  if (nano !== 0) {
    if (limits.CpuPeriod)
      throw badParameter('Conflicting options: Nano CPUs and CPU Period cannot both be set');
    if (limits.CpuQuota)
      throw badParameter('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
    if (nano < 1e7 || nano > facts.cpus * 1e9) {
      throw badParameter(
        `range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`,
      );
    }
  }
  const period = limits.CpuPeriod ?? 0;
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw badParameter(
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  }
  const quota = limits.CpuQuota ?? 0;
  if (quota > 0 && quota < 1000) throw badParameter('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if ((limits.CpuShares ?? 0) < 0) {
    throw badParameter(`invalid CPU shares (${limits.CpuShares}): value must be a positive integer`);
  }
  if (limits.CpuRealtimePeriod || limits.CpuRealtimeRuntime) {
    throw badParameter('this engine does not set real-time cpu limits (--cpu-rt-period, --cpu-rt-runtime)');
  }
  checkCpuset({ wanted: limits.CpusetCpus, existing: facts.onlineCpus, what: 'CPUs', field: 'cpus' });
  checkCpuset({
    wanted: limits.CpusetMems,
    existing: facts.onlineNodes,
    what: 'memory nodes',
    field: 'mems',
  });
}

function checkCpuset(options: {
  wanted: string | undefined;
  existing: string;
  what: string;
  field: string;
}): void {
  const { wanted, existing, what, field } = options;
  if (!wanted) return;
  const list = decodeCpuList(wanted);
  if (!list) throw badParameter(`Invalid value ${wanted} for cpuset ${field}`);
  if (!list.isSubsetOf(decodeCpuList(existing) ?? new Set())) {
    throw badParameter(`Requested ${what} are not available - requested ${wanted}, available: ${existing}`);
  }
}
