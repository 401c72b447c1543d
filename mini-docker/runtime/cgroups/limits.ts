// What goes wrong with a limit, in words.
import { getSystemErrorMessage } from 'node:util';
import { CgroupError } from './cgroup.ts';

/** One limit: a file of a controller, and what is written into it. */
export interface Limit {
  controller: string;
  file: string;
  value: string | number;
  /** What the user asked for, in words: 'the memory limit' */
  option: string;
}

export type Write = (limit: Limit) => void;

/** How a kernel without a controller comes by it. */
const remedies: Record<string, string> = {
  memory: 'boot the kernel with cgroup_enable=memory',
  cpu: 'it needs a kernel with CONFIG_CGROUP_SCHED and CONFIG_CFS_BANDWIDTH',
  cpuset: 'it needs a kernel with CONFIG_CPUSETS',
  pids: 'it needs a kernel with CONFIG_CGROUP_PIDS',
  blkio: 'it needs a kernel with CONFIG_BLK_CGROUP',
  io: 'it needs a kernel with CONFIG_BLK_CGROUP',
  devices: 'it needs a kernel with CONFIG_CGROUP_DEVICE, and the hierarchy to be mounted',
  freezer: 'it needs a kernel with CONFIG_CGROUP_FREEZER, and the hierarchy to be mounted',
};

/** @param option what the user asked for: 'the memory limit' */
export function missingController(controller: string, option: string): CgroupError {
  const remedy = remedies[controller] ?? 'see /proc/cgroups';
  return new CgroupError(
    `cannot set ${option}: this machine has no ${controller} controller for cgroups; ${remedy}, or leave the limit out`,
  );
}

/** The kernel refused a value. */
export function cannotSet(options: {
  option: string;
  value: string | number;
  file: string;
  error: unknown;
}): CgroupError {
  const { option, value, file, error } = options;
  const { code, errno = 0 } = error as NodeJS.ErrnoException;
  const name = file.slice(file.lastIndexOf('/') + 1);
  const reason = reasons(name)[code ?? ''] ?? (errno < 0 ? getSystemErrorMessage(errno) : String(error));
  return new CgroupError(
    `cannot set ${option} to ${value}: ${reason} (${code ?? 'no code'} from ${file})`,
    error,
  );
}

/** What an errno means for this file. */
function reasons(file: string): Record<string, string> {
  const gone = 'the container is gone, or this kernel lacks the file';
  const common = { ENOENT: gone, ENODEV: gone, EROFS: 'the cgroup file system is mounted read-only' };
  if (file.startsWith('cpuset.')) {
    return {
      ...common,
      EINVAL: 'no such list of numbers: write 0-2,5',
      ERANGE: 'no such list of numbers: write 0-2,5',
      EACCES: 'the group above does not have all of these',
      ENOSPC: 'processes would be left with nothing to run on',
    };
  }
  if (file.startsWith('memory.')) {
    return {
      ...common,
      EBUSY: 'the container uses more than that, and it could not be taken back',
      EINVAL: 'not a size that the kernel takes, or more memory than memory and swap together',
    };
  }
  if (file.startsWith('cpu.')) {
    return {
      ...common,
      EINVAL: 'period and quota are 1000 µs at least, the period 1000000 at most, and no child has more',
    };
  }
  if (file.startsWith('blkio.') || file.startsWith('io.')) {
    return { ...common, ENODEV: 'there is no such block device', EINVAL: 'the kernel does not take this' };
  }
  if (file.startsWith('devices.')) {
    return { ...common, EPERM: 'the group above does not have this device, or CAP_SYS_ADMIN is missing' };
  }
  return common;
}

export function requireRange(option: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new CgroupError(`cannot set ${option} to ${value}: it is a whole number from ${from} to ${to}`);
}

/** What `docker run --memory` asks for without being told: as much swap again as memory. */
export function isDefaultSwap(limit: number | undefined, swap: number): boolean {
  return swap === -1 || (limit !== undefined && swap === 2 * limit);
}
