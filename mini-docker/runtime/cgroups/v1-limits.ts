// Writes limits in the format of cgroup v1. Kernel: Documentation/admin-guide/cgroup-v1/.
import { existsSync } from 'node:fs';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { CgroupError } from './cgroup.ts';
import { devicePolicy, ruleText } from './device-rules.ts';
import { readNumber, writeValues } from './files.ts';
import {
  applyCommon,
  applyCpuset,
  cannotSet,
  isDefaultSwap,
  missingController,
  requireRange,
  type Write,
  writerOf,
} from './limits.ts';

/** The cgroup's directory in the hierarchy of a controller; undefined when the machine does not have it. */
export type DirectoryOf = (controller: string) => string | undefined;

/**
 * Writes the limits given in `resources`, in an order that the kernel accepts. @throws CgroupError when one
 * is refused
 */
export function applyLimitsV1(
  directoryOf: DirectoryOf,
  resources: Resources,
  write: Write = writer(directoryOf),
): void {
  if (resources.cpu) {
    applyCpu(write, resources.cpu);
    applyCpuset(write, resources.cpu);
  }
  if (resources.memory) applyMemory(write, directoryOf, resources.memory);
  if (resources.pids && (resources.pids.limit > 0 || directoryOf('pids') !== undefined)) {
    const value = resources.pids.limit > 0 ? resources.pids.limit : 'max';
    write({ controller: 'pids', file: 'pids.max', value, option: 'the limit on processes' });
  }
  if (resources.blockIO) applyBlockIO(write, directoryOf, resources.blockIO);
  if (resources.devices) applyDevices(write, resources.devices);
  if (resources.network) applyNetwork(write, resources.network);
  applyCommon(write, resources, 'limit_in_bytes');
  if (Object.keys(resources.unified ?? {}).length > 0)
    throw new CgroupError('cannot set unified: it is for cgroup v2, and this machine has version 1');
}

function applyNetwork(write: Write, { classID, priorities = [] }: NonNullable<Resources['network']>): void {
  writerOf('net_cls', write)('net_cls.classid', classID, 'the network class');
  for (const { name, priority } of priorities ?? []) {
    const value = `${name} ${priority}`;
    write({ controller: 'net_prio', file: 'net_prio.ifpriomap', value, option: 'the network priority' });
  }
}

function writer(directoryOf: DirectoryOf): Write {
  return ({ controller, file, value, option }) => {
    const directory = directoryOf(controller);
    if (directory === undefined) throw missingController(controller, option);
    try {
      // The devices controller takes one rule per write.
      writeValues(`${directory}/${file}`, String(value).split('\n'));
    } catch (error) {
      throw cannotSet({
        option,
        value: String(value).replaceAll('\n', ', '),
        file: `${directory}/${file}`,
        error,
      });
    }
  };
}

function applyCpu(write: Write, cpu: NonNullable<Resources['cpu']>): void {
  const { quota, period } = cpu;
  const set = writerOf('cpu', write);
  set('cpu.shares', cpu.shares, 'cpu shares');
  const setPeriod = () => set('cpu.cfs_period_us', period, 'the cpu period');
  const setQuota = () => set('cpu.cfs_quota_us', quota, 'the cpu quota');
  // The kernel checks the ratio of the two at each write, so an update may have to write the quota first.
  try {
    setPeriod();
    setQuota();
  } catch (error) {
    if (!period || !quota || (error as CgroupError).code !== 'EINVAL') throw error;
    setQuota();
    setPeriod();
  }
  set('cpu.cfs_burst_us', cpu.burst, 'the cpu burst');
  set('cpu.rt_period_us', cpu.realtimePeriod, 'the realtime period');
  set('cpu.rt_runtime_us', cpu.realtimeRuntime, 'the realtime runtime');
  set('cpu.idle', cpu.idle, 'cpu idle');
}

function applyMemory(write: Write, directoryOf: DirectoryOf, memory: NonNullable<Resources['memory']>): void {
  const { limit, reservation, swappiness, disableOOMKiller } = memory;
  // The limit on memory and swap together cannot be below the memory limit, which is unlimited.
  const swap = limit === -1 && !memory.swap ? -1 : memory.swap;
  const directory = directoryOf('memory');
  const set = writerOf('memory', write);
  const setLimit = () => set('memory.limit_in_bytes', limit, 'the memory limit');
  const setSwap = () => {
    if (!swap || (isDefaultSwap(limit, swap) && !hasSwapAccounting(directory))) return;
    if (directory !== undefined && !hasSwapAccounting(directory)) {
      throw new CgroupError(
        'cannot limit swap: this kernel does not count it; boot it with swapaccount=1, or leave the limit out',
      );
    }
    set('memory.memsw.limit_in_bytes', swap, 'the limit on memory and swap');
  };
  // memory.limit must never exceed memory.memsw.limit: when both grow, the latter goes first.
  const present = directory === undefined ? 0 : readNumber(`${directory}/memory.memsw.limit_in_bytes`);
  if (swap && (swap === -1 || swap > present)) {
    setSwap();
    setLimit();
  } else {
    setLimit();
    setSwap();
  }
  set('memory.soft_limit_in_bytes', reservation, 'the memory reservation');
  set('memory.kmem.limit_in_bytes', memory.kernel, 'the limit on kernel memory');
  set('memory.kmem.tcp.limit_in_bytes', memory.kernelTCP, 'the limit on kernel memory');
  if (disableOOMKiller) set('memory.oom_control', 1, 'the OOM killer');
  if (swappiness !== undefined && swappiness !== -1) {
    requireRange('swappiness', swappiness, 0, 100);
    write({ controller: 'memory', file: 'memory.swappiness', value: swappiness, option: 'swappiness' });
  }
}

function hasSwapAccounting(directory: string | undefined): boolean {
  return directory !== undefined && existsSync(`${directory}/memory.memsw.limit_in_bytes`);
}

function applyBlockIO(
  write: Write,
  directoryOf: DirectoryOf,
  blockIO: NonNullable<Resources['blockIO']>,
): void {
  const directory = directoryOf('blkio');
  const set = writerOf('blkio', write);
  if (blockIO.weight || blockIO.weightDevice?.length) {
    // CFQ had blkio.weight until Linux 5.0; BFQ has its own file, which exists while its module is loaded.
    const names = ['blkio.weight', 'blkio.bfq.weight'];
    const file = names.find(name => directory === undefined || existsSync(`${directory}/${name}`));
    if (file === undefined) {
      throw new CgroupError(
        'cannot set the block IO weight: no scheduler of this kernel has one; load BFQ with modprobe bfq',
      );
    }
    if (blockIO.weight) {
      requireRange('the block IO weight', blockIO.weight, 10, 1000);
      set(file, blockIO.weight, 'the block IO weight');
    }
    for (const { major, minor, weight } of blockIO.weightDevice ?? []) {
      set(`${file}_device`, `${major}:${minor} ${weight}`, 'the block IO weight of a device');
    }
  }
  const throttles = [
    [blockIO.throttleReadBpsDevice, 'blkio.throttle.read_bps_device'],
    [blockIO.throttleWriteBpsDevice, 'blkio.throttle.write_bps_device'],
    [blockIO.throttleReadIOPSDevice, 'blkio.throttle.read_iops_device'],
    [blockIO.throttleWriteIOPSDevice, 'blkio.throttle.write_iops_device'],
  ] as const;
  for (const [limits, file] of throttles) {
    for (const { major, minor, rate } of limits ?? []) {
      set(file, `${major}:${minor} ${rate}`, 'the block IO limit of a device');
    }
  }
}

function applyDevices(write: Write, rules: NonNullable<Resources['devices']>): void {
  const policy = devicePolicy(rules);
  const [first, others] =
    policy.default === 'deny' ? ['devices.deny', 'devices.allow'] : ['devices.allow', 'devices.deny'];
  const set = writerOf('devices', write);
  // 'a' also removes the existing exceptions.
  set(first, 'a', 'the device rules');
  set(others, policy.exceptions.map(ruleText).join('\n'), 'the device rules');
}
