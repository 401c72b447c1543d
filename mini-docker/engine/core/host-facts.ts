// Facts about this machine, read once when the daemon starts.

import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, hostname, release, totalmem } from 'node:os';
import { quietly } from '../../formats/quietly.ts';
import { CAP } from '../../linux/constants.ts';
import { inUserNamespace } from '../../linux/own-user-namespace.ts';
import { readQuietly } from '../../linux/proc/file.ts';
import { type AppArmor, openAppArmor } from '../../runtime/apparmor.ts';
import { type NoHierarchy, readHierarchies } from '../../runtime/cgroups/hierarchies.ts';

export interface HostFacts {
  hostname: string;
  kernel: string;
  cgroupVersion: 1 | 2;
  /** Whether this daemon is root in a user namespace only: that of an ordinary user. */
  rootless: boolean;
  /** Why containers cannot have limits, if so. */
  noLimits?: NoHierarchy;
  /** Names with the CAP_ prefix: the bounding set of this process. */
  capabilities: ReadonlySet<string>;
  cpus: number;
  /** Existing cpus and memory nodes, as cpuset lists: '0-3'. */
  onlineCpus: string;
  onlineNodes: string;
  /** Size of memory in bytes. */
  memory: number;
  swapLimit: boolean;
  /** Whether groups have weights of block I/O; otherwise they are discarded, as by Docker. */
  blkioWeight: boolean;
  /** Whether containers can be confined by AppArmor. */
  apparmor: boolean;
  /** The reason why not, although the kernel has it. */
  apparmorProblem?: string;
  selinux: boolean;
  /** Whether the kernel has system call filters. */
  seccomp: boolean;
}

export function readHostFacts(): HostFacts {
  const rootless = inUserNamespace();
  // Only root of the machine can load a profile.
  const { usable, problem }: AppArmor = rootless ? { usable: false } : openAppArmor();
  const hierarchies = readHierarchies();
  return {
    hostname: hostname(),
    kernel: release(),
    cgroupVersion: cgroupVersion(),
    rootless,
    ...(hierarchies.version === 'none' ? { noLimits: hierarchies } : {}),
    capabilities: boundingSet(),
    cpus: availableParallelism(),
    onlineCpus: readQuietly('/sys/devices/system/cpu/online')?.trim() ?? `0-${availableParallelism() - 1}`,
    onlineNodes: readQuietly('/sys/devices/system/node/online')?.trim() ?? '0',
    memory: totalmem(),
    swapLimit: existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes') || cgroupVersion() === 2,
    blkioWeight: hierarchies.version !== 1 || WEIGHTS.some(existsSync),
    apparmor: usable,
    ...(problem === undefined ? {} : { apparmorProblem: problem }),
    selinux: existsSync('/sys/fs/selinux/enforce'),
    seccomp: existsSync('/proc/sys/kernel/seccomp/actions_avail'),
  };
}

/** CFQ's file, which Linux had until 5.0, and one of BFQ's: that of its weight is missing in the root group. */
const WEIGHTS = ['/sys/fs/cgroup/blkio/blkio.weight', '/sys/fs/cgroup/blkio/blkio.bfq.io_serviced'];

/** <linux/magic.h> */
const CGROUP2_SUPER_MAGIC = 0x6367_7270;

function cgroupVersion(): 1 | 2 {
  return quietly(() => (statfsSync('/sys/fs/cgroup').type === CGROUP2_SUPER_MAGIC ? 2 : 1)) ?? 1;
}

function boundingSet(): Set<string> {
  const line = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const bits = BigInt(`0x${line?.[1] ?? '0'}`);
  const names = Object.entries(CAP).filter(([, number]) => (bits >> BigInt(number)) & 1n);
  return new Set(names.map(([name]) => `CAP_${name}`));
}
