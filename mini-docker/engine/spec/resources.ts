// Translates Docker's limits into those of the OCI specification. Zero and null mean unlimited.

import type { ContainerResources, HostConfig, ThrottleDevice } from '../../formats/engine-api/containers.ts';
import type { DeviceRule, Resources, Throttle } from '../../formats/oci/runtime-spec.ts';
import { blockDevice, DEFAULT_DEVICE_RULES, decodeDeviceRule, type GrantedDevice } from './devices.ts';

/** Period of the quota for `--cpus`, in microseconds. */
const PERIOD = 100_000;

/** The limits that `update` can change. */
export function limitsOf(limits: ContainerResources): Resources {
  const resources: Resources = {};
  const memory = memoryOf(limits);
  const cpu = cpuOf(limits);
  const blockIO = blockIoOf(limits);
  if (Object.keys(memory).length > 0) resources.memory = memory;
  if (Object.keys(cpu).length > 0) resources.cpu = cpu;
  if (Object.keys(blockIO).length > 0) resources.blockIO = blockIO;
  const pids = limits.PidsLimit ?? 0;
  if (pids > 0) resources.pids = { limit: pids };
  return resources;
}

/** All settings of a new container's cgroup, including its device rules. */
export function resourcesOf(host: HostConfig, granted: GrantedDevice[]): Resources {
  const devices: DeviceRule[] = host.Privileged
    ? [{ allow: true, access: 'rwm' }]
    : [
        ...DEFAULT_DEVICE_RULES,
        ...granted.map(each => each.rule),
        ...(host.DeviceCgroupRules ?? []).map(decodeDeviceRule),
      ];
  return { ...limitsOf(host), devices };
}

function memoryOf(limits: ContainerResources): NonNullable<Resources['memory']> {
  const limit = limits.Memory ?? 0;
  // Docker's default: as much swap as memory.
  const swap = limits.MemorySwap || (limit > 0 ? limit * 2 : 0);
  const swappiness = limits.MemorySwappiness ?? -1;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(swap !== 0 ? { swap } : {}),
    ...(limits.MemoryReservation ? { reservation: limits.MemoryReservation } : {}),
    ...(swappiness >= 0 ? { swappiness } : {}),
    ...(limits.OomKillDisable ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf(limits: ContainerResources): NonNullable<Resources['cpu']> {
  const nano = limits.NanoCpus ?? 0;
  const quota = nano > 0 ? Math.round((nano * PERIOD) / 1e9) : (limits.CpuQuota ?? 0);
  const period = nano > 0 ? PERIOD : (limits.CpuPeriod ?? 0);
  return {
    ...(limits.CpuShares ? { shares: limits.CpuShares } : {}),
    ...(quota !== 0 ? { quota } : {}),
    ...(period !== 0 ? { period } : {}),
    ...(limits.CpusetCpus ? { cpus: limits.CpusetCpus } : {}),
    ...(limits.CpusetMems ? { mems: limits.CpusetMems } : {}),
  };
}

function blockIoOf(limits: ContainerResources): NonNullable<Resources['blockIO']> {
  const weights = (limits.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
    ...blockDevice(Path),
    weight: Weight,
  }));
  const throttles = {
    throttleReadBpsDevice: throttlesOf(limits.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttlesOf(limits.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttlesOf(limits.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttlesOf(limits.BlkioDeviceWriteIOps),
  };
  return {
    ...(limits.BlkioWeight ? { weight: limits.BlkioWeight } : {}),
    ...(weights.length > 0 ? { weightDevice: weights } : {}),
    ...Object.fromEntries(Object.entries(throttles).filter(([, list]) => list.length > 0)),
  };
}

function throttlesOf(devices: ThrottleDevice[] | null | undefined): Throttle[] {
  return (devices ?? []).map(({ Path, Rate }) => ({ ...blockDevice(Path), rate: Rate }));
}
