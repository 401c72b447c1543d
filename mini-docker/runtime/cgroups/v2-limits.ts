// Writes limits in the format of cgroup v2. Kernel: Documentation/admin-guide/cgroup-v2.rst.
import { existsSync } from 'node:fs';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { inUserNamespace } from '../../linux/own-user-namespace.ts';
import { CgroupError } from './cgroup.ts';
import { setDeviceFilter } from './device-filter.ts';
import { deviceProgram } from './device-program.ts';
import { devicePolicy } from './device-rules.ts';
import { readValue, writeValue } from './files.ts';
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

/** Writes the limits given in `resources`. @throws CgroupError when one is refused */
export function applyLimitsV2(
  directory: string,
  resources: Resources,
  write: Write = writer(directory),
): void {
  if (resources.cpu) {
    applyCpu(write, directory, resources.cpu);
    applyCpuset(write, resources.cpu);
  }
  if (resources.memory) applyMemory(write, directory, resources.memory);
  if (resources.pids && (resources.pids.limit > 0 || existsSync(`${directory}/pids.max`))) {
    const value = resources.pids.limit > 0 ? resources.pids.limit : 'max';
    write({ controller: 'pids', file: 'pids.max', value, option: 'the limit on processes' });
  }
  if (resources.blockIO) applyBlockIO(write, directory, resources.blockIO);
  if (resources.network?.classID || resources.network?.priorities?.length)
    throw notInV2('network classes', 'none');
  applyCommon(write, resources, 'max');
  for (const [file, value] of Object.entries(resources.unified ?? {})) {
    if (!/^[a-z0-9_]+\.[a-z0-9._]+$/i.test(file)) {
      throw new CgroupError(
        `'${file}' is not the name of a cgroup file: write NAME=VALUE, such as memory.high=64M`,
      );
    }
    write({ controller: file.slice(0, file.indexOf('.')), file, value, option: file });
  }
}

/**
 * Version 2 has no file for devices: the kernel runs a BPF program at each open and mknod. @throws
 * SyscallError when it is refused
 */
export function applyDevicesV2(directory: string, resources: Resources): void {
  // In a user namespace the kernel refuses the program, and no device can be made that it would have to forbid.
  if (resources.devices && !inUserNamespace())
    setDeviceFilter(directory, deviceProgram(devicePolicy(resources.devices)));
}

function writer(directory: string): Write {
  return ({ controller, file, value, option }) => {
    const path = `${directory}/${file}`;
    if (!existsSync(path)) throw missingController(controller, option);
    try {
      writeValue(path, String(value));
    } catch (error) {
      throw cannotSet({ option, value, file: path, error });
    }
  };
}

function applyCpu(write: Write, directory: string, cpu: NonNullable<Resources['cpu']>): void {
  const { shares, quota, period } = cpu;
  const set = writerOf('cpu', write);
  set('cpu.weight', shares && weightOfShares(shares), 'cpu shares');
  if (quota || period) {
    const [presentQuota = 'max', presentPeriod = '100000'] = (readValue(`${directory}/cpu.max`) ?? '').split(
      ' ',
    );
    const first = quota ? (quota > 0 ? quota : 'max') : presentQuota || 'max';
    set('cpu.max', `${first} ${period || presentPeriod}`, 'the cpu quota');
  }
  if (cpu.realtimePeriod || cpu.realtimeRuntime) throw notInV2('the realtime period', 'none');
  set('cpu.max.burst', cpu.burst, 'the cpu burst');
  set('cpu.idle', cpu.idle, 'cpu idle');
}

function notInV2(setting: string, has: string): CgroupError {
  return new CgroupError(`cannot set ${setting}: cgroup v2, which this machine uses, has ${has}`);
}

/**
 * Maps cpu.shares 2 … 1024 … 262144 to cpu.weight 1 … 100 … 10000, by the curve through these three points,
 * which maps default to default (runc and crun do so since 2025; the straight line that they used before maps
 * the default to 39, and so puts containers behind everything else on the machine).
 */
export function weightOfShares(shares: number): number {
  const log = Math.log2(Math.min(Math.max(shares, 2), 262_144));
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34) - 1e-9);
}

function applyMemory(write: Write, directory: string, memory: NonNullable<Resources['memory']>): void {
  const { limit, reservation, swappiness, disableOOMKiller } = memory;
  const swap = limit === -1 && !memory.swap ? -1 : memory.swap;
  if (swap) applySwap(write, directory, swap, limit);
  const set = writerOf('memory', write);
  set('memory.max', limit && limit < 0 ? 'max' : limit, 'the memory limit');
  // As text, since 0 is a value here.
  set('memory.low', reservation && String(Math.max(reservation, 0)), 'the memory reservation');
  if (memory.kernel || memory.kernelTCP) {
    throw new CgroupError(
      'cannot limit kernel memory: cgroup v2, which this machine uses, has no such setting',
    );
  }
  if (disableOOMKiller) {
    throw new CgroupError(
      'cannot switch the OOM killer off: cgroup v2, which this machine uses, has no such setting',
    );
  }
  if (swappiness !== undefined && swappiness !== -1) throw notInV2('swappiness', 'none for containers');
}

/** Version 2 limits swap alone, whereas `swap` counts memory and swap together. */
function applySwap(write: Write, directory: string, swap: number, limit: number | undefined): void {
  const hasFile = existsSync(`${directory}/memory.swap.max`);
  if (!hasFile && existsSync(`${directory}/memory.max`)) {
    if (isDefaultSwap(limit, swap)) return;
    throw new CgroupError(
      'cannot limit swap: this kernel does not count it; boot it with swapaccount=1, or leave the limit out',
    );
  }
  const memory = limit ?? Number(readValue(`${directory}/memory.max`));
  if (swap !== -1 && !(memory > 0 && swap >= memory)) {
    throw new CgroupError(
      `cannot limit memory and swap together to ${swap}: it needs a memory limit, and one that is not higher`,
    );
  }
  const value = swap === -1 ? 'max' : swap - memory;
  write({ controller: 'memory', file: 'memory.swap.max', value, option: 'the limit on memory and swap' });
}

function applyBlockIO(write: Write, directory: string, blockIO: NonNullable<Resources['blockIO']>): void {
  if (blockIO.weight || blockIO.weightDevice?.length) applyWeights(write, directory, blockIO);
  const throttles = [
    [blockIO.throttleReadBpsDevice, 'rbps'],
    [blockIO.throttleWriteBpsDevice, 'wbps'],
    [blockIO.throttleReadIOPSDevice, 'riops'],
    [blockIO.throttleWriteIOPSDevice, 'wiops'],
  ] as const;
  for (const [limits, key] of throttles) {
    for (const { major, minor, rate } of limits ?? []) {
      const value = `${major}:${minor} ${key}=${rate || 'max'}`;
      write({ controller: 'io', file: 'io.max', value, option: 'the block IO limit of a device' });
    }
  }
}

/** io.bfq.weight exists with the BFQ scheduler's module, io.weight in kernels with blk-iocost. */
function applyWeights(write: Write, directory: string, blockIO: NonNullable<Resources['blockIO']>): void {
  const option = 'the block IO weight';
  const set = writerOf('io', write);
  const bfq = existsSync(`${directory}/io.bfq.weight`);
  if (!bfq && !existsSync(`${directory}/io.weight`) && existsSync(`${directory}/io.max`)) {
    throw new CgroupError(
      `cannot set ${option}: no scheduler of this kernel has one; load BFQ with modprobe bfq, or leave it out`,
    );
  }
  const file = bfq ? 'io.bfq.weight' : 'io.weight';
  const scaled = (weight: number) => {
    requireRange(option, weight, 10, 1000);
    // BFQ uses Docker's scale; io.weight has a range from 1 to 10000.
    return bfq ? weight : 1 + Math.floor(((weight - 10) * 9999) / 990);
  };
  if (blockIO.weight) set(file, `default ${scaled(blockIO.weight)}`, option);
  for (const { major, minor, weight } of blockIO.weightDevice ?? [])
    set(file, `${major}:${minor} ${scaled(weight)}`, `${option} of a device`);
}
