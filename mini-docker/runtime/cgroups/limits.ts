// Error messages for limits that cannot be set.
import { getSystemErrorMessage } from 'node:util';
import type { Resources } from '../../formats/oci/runtime-spec.ts';
import { inUserNamespace } from '../../linux/own-user-namespace.ts';
import { CgroupError } from './cgroup.ts';

/** One limit: a file of a controller, and the value to write. */
export interface Limit {
  controller: string;
  file: string;
  value: string | number;
  /** The user's request in words: 'the memory limit' */
  option: string;
}

export type Write = (limit: Limit) => void;

/** Writes limits of one controller. A value of 0 is one that was not given. */
export function writerOf(
  controller: string,
  write: Write,
): (file: string, value: string | number | undefined, option: string) => void {
  return (file, value, option) => {
    if (value) write({ controller, file, value, option });
  };
}

/** The limits on cpus and memory nodes, whose files have the same names in both versions. */
export function applyCpuset(write: Write, { cpus, mems }: NonNullable<Resources['cpu']>): void {
  const set = writerOf('cpuset', write);
  set('cpuset.cpus', cpus, 'the set of cpus');
  set('cpuset.mems', mems, 'the set of memory nodes');
}

/**
 * Whether these limits name cpus or memory nodes, or how much of the cpus: for that, lxcfs looks in the hierarchy `cpu` under
 * the name of the cpuset.
 */
export const choosesCpus = ({ cpu }: Resources): boolean =>
  Boolean(cpu?.cpus || cpu?.mems || (cpu?.quota ?? 0) > 0);

/** Limits whose files have the same names in both versions. */
export function applyCommon(
  write: Write,
  { hugepageLimits = [], rdma = {} }: Resources,
  suffix: string,
): void {
  for (const { pageSize, limit } of hugepageLimits ?? []) {
    const file = `hugetlb.${pageSize}.${suffix}`;
    write({ controller: 'hugetlb', file, value: limit, option: `the limit on huge pages of ${pageSize}` });
  }
  for (const [device, { hcaHandles = 'max', hcaObjects = 'max' }] of Object.entries(rdma ?? {})) {
    const value = `${device} hca_handle=${hcaHandles} hca_object=${hcaObjects}`;
    write({ controller: 'rdma', file: 'rdma.max', value, option: 'the limits on RDMA' });
  }
}

/** How to get a missing controller. */
const remedies: Record<string, string> = {
  memory: 'boot the kernel with cgroup_enable=memory',
  cpu: 'it needs a kernel with CONFIG_CGROUP_SCHED and CONFIG_CFS_BANDWIDTH',
  cpuset: 'it needs a kernel with CONFIG_CPUSETS',
  pids: 'it needs a kernel with CONFIG_CGROUP_PIDS',
  blkio: 'it needs a kernel with CONFIG_BLK_CGROUP',
  io: 'it needs a kernel with CONFIG_BLK_CGROUP',
  devices: 'it needs a kernel with CONFIG_CGROUP_DEVICE, and the hierarchy to be mounted',
  hugetlb: 'it needs a kernel with CONFIG_CGROUP_HUGETLB, and the hierarchy to be mounted',
  rdma: 'it needs a kernel with CONFIG_CGROUP_RDMA, and the hierarchy to be mounted',
  net_cls: 'it needs a kernel with CONFIG_CGROUP_NET_CLASSID, and the hierarchy to be mounted',
  net_prio: 'it needs a kernel with CONFIG_CGROUP_NET_PRIO, and the hierarchy to be mounted',
  freezer: 'it needs a kernel with CONFIG_CGROUP_FREEZER, and the hierarchy to be mounted',
};

/** @param option the user's request in words: 'the memory limit' */
export function missingController(controller: string, option: string): CgroupError {
  if (inUserNamespace())
    return new CgroupError(
      `cannot set ${option}: this daemon's user does not have the ${controller} controller; let root delegate it (Delegate=cpu cpuset io memory pids below [Service] in /etc/systemd/system/user@.service.d/delegate.conf), or leave the limit out`,
    );
  const remedy = remedies[controller] ?? 'see /proc/cgroups';
  return new CgroupError(
    `cannot set ${option}: this machine has no ${controller} controller for cgroups; ${remedy}, or leave the limit out`,
  );
}

/** The error for a value that the kernel refused. */
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

/** The meanings of the errnos of this file. */
function reasons(file: string): Record<string, string> {
  const gone = 'the container is gone, or this kernel lacks the file';
  const common = { ENOENT: gone, ENODEV: gone, EROFS: 'the cgroup file system is mounted read-only' };
  if (file.startsWith('cpuset.')) {
    return {
      ...common,
      EINVAL: 'not a list of numbers such as 0-2,5',
      ERANGE: 'not a list of numbers such as 0-2,5',
      EACCES: 'the group above does not have all of these',
      ENOSPC: 'processes would be left with nothing to run on',
    };
  }
  if (file.startsWith('memory.')) {
    return {
      ...common,
      EBUSY: 'the container uses more than that, and the kernel could not reclaim enough',
      EINVAL: 'not a size that the kernel accepts, or above the limit on memory and swap together',
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
  throw new CgroupError(`cannot set ${option} to ${value}: it must be a whole number from ${from} to ${to}`);
}

/** Whether this is the default of `docker run --memory`: as much swap as memory. */
export function isDefaultSwap(limit: number | undefined, swap: number): boolean {
  return swap === -1 || (limit !== undefined && swap === 2 * limit);
}
