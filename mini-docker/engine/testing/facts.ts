// Facts of an imaginary machine, for tests of pure functions.

import { CAP } from '../../linux/constants.ts';
import type { HostFacts } from '../core/host-facts.ts';

export const testFacts: HostFacts = {
  hostname: 'host',
  kernel: '6.1.0',
  cgroupVersion: 1,
  rootless: false,
  capabilities: new Set(Object.keys(CAP).map(name => `CAP_${name}`)),
  cpus: 2,
  onlineCpus: '0-1',
  onlineNodes: '0',
  memory: 8 * 2 ** 30,
  swapLimit: true,
  blkioWeight: true,
  apparmor: false,
  selinux: false,
  seccomp: true,
};
